"""What makes the tablet an app: its manifest and its service worker, which must stand at the root to rule all paths."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Flask, Response, current_app

blueprint = APIBlueprint("pwa", __name__, enable_openapi=False)


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(blueprint)


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The service worker; browsers must always ask whether there is a new one."""
    response = current_app.send_static_file("sw.js")
    response.headers["Service-Worker-Allowed"] = "/"
    response.headers["Cache-Control"] = "no-cache"
    response.mimetype = "text/javascript"
    return response


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """The web app manifest."""
    response = current_app.send_static_file("manifest.webmanifest")
    response.headers["Cache-Control"] = "no-cache"
    response.mimetype = "application/manifest+json"
    return response
