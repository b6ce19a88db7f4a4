"""The page that holds the tablet's app. It has no data of anybody; those come over the API."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request

from clerk_ui.auth.callers import DEVICE_COOKIE

blueprint = APIBlueprint("shell", __name__, enable_openapi=False)


@blueprint.get("/")
def home() -> Response:
    """Tablets get their app, everybody else the sign-in form."""
    return make_response(redirect("/counter/" if DEVICE_COOKIE in request.cookies else "/sign-in"))


@blueprint.get("/counter/")
def shell() -> Response:
    """The app's page; revalidated each time, so that a new version arrives with the next start."""
    response = make_response(render_template("counter/index.html"))
    response.headers["Cache-Control"] = "no-cache"
    return response
