"""Puts the application together: its parts in the order in which a request meets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from apiflask import APIFlask
from flask import Response
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from clerk_ui import (
    auth,
    background,
    coe,
    compressed_files,
    counter,
    database_sessions,
    health,
    intake,
    joining,
    languages,
    management,
    metrics,
    openapi,
    problems,
    pwa,
    recommendations,
    request_log,
    security,
    store,
    survey,
    web,
)
from clerk_ui.json_values import plain
from clerk_ui.settings import Settings

# The largest thing sent to us is a batch of 1,000 rows; a search term or a note never comes near.
LARGEST_BODY = 4 * 1024 * 1024


class FastJson(JSONProvider):
    """JSON by orjson: moments with their offset, amounts as numbers."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=plain).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        return Response(
            orjson.dumps(self._prepare_response_obj(args, kwargs), default=plain), mimetype="application/json"
        )


class Osusume(APIFlask):
    """The application class; differs from APIFlask's in how it reads and writes JSON, and in having no coroutines."""

    json_provider_class = FastJson

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: Flask would look at every view and hook of every request whether it is a coroutine."""
        return func


def build(settings: Settings) -> APIFlask:
    """The application; every part registers its own hooks and routes."""
    app = Osusume(
        "clerk_ui",
        title="Osusume",
        version=openapi.API_VERSION,
        spec_path="/api/openapi.json",
        docs_path=None,
        json_errors=False,
    )
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    if settings.web.proxies:  # else anybody could claim any address
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.web.proxies, x_proto=settings.web.proxies)  # type: ignore[method-assign]
    app.jinja_env.globals["chain_name"] = settings.chain.name
    app.extensions["osusume.settings"] = settings
    for part in (
        request_log,
        metrics,
        database_sessions,
        security,
        problems,
        languages,
        openapi,
        recommendations,
        health,
        auth,
        counter,
        joining,
        intake,
        pwa,
        compressed_files,
        management,
        background,
        store,
        coe,
        survey,
        web,
    ):
        part.init_app(app)
    return app
