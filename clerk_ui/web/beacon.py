"""The beacon: its script, and the one address to which pages send what visitors look at. See docs/beacon.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from apiflask import APIBlueprint
from flask import Flask, Response, current_app, request

from clerk_ui import recommendations
from clerk_ui.application_settings import settings
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.database_sessions import engine_of, request_time
from clerk_ui.grouped import Grouped
from clerk_ui.metrics import ROWS
from journey.errors import InputError, NotAllowed
from journey.intake.browser_events import PageEvents, page_events, visitor_of
from journey.intake.browser_storing import PageStored, store_pages

blueprint = APIBlueprint("beacon", "clerk_ui.web", enable_openapi=False)
LARGEST = 64 * 1024  # browsers hold no more back for a page that closes
OF_VISITOR = RateLimit(90, 60)
OF_ADDRESS = RateLimit(1200, 60)  # a whole shopping mall may share one
KEPT_HOUR = "public, max-age=3600"
GROUPS = "osusume.page_events"


def init_app(app: Flask) -> None:
    """Events of pages that come together are committed together."""
    app.extensions[GROUPS] = Grouped[PageEvents, PageStored](_store_group)


@blueprint.get("/beacon.js")
def script() -> Response:
    """The script; pages of the shop load it from here."""
    response = current_app.send_static_file("beacon.js")
    response.headers["Cache-Control"] = KEPT_HOUR
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.mimetype = "text/javascript"
    return response


@blueprint.route("/web/events", methods=["OPTIONS"])
def allow_events() -> Response:
    """The answer to a browser that asks first."""
    _require_known_origin()
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "7200"
    return response


@blueprint.post("/web/events")
def post_events() -> Response:
    """Store what a page saw. Its answer comes after the commit: an event that is not in it may be sent again."""
    _require_known_origin()
    return Response(orjson.dumps(_stored()), mimetype="application/json")


@blueprint.after_request
def _readable_by_pages(response: Response) -> Response:
    """The page may read every answer, also a refusal: what is refused for good must not be sent again and again."""
    if request.path == "/web/events" and _known(origin := request.headers.get("Origin", "")):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.vary.add("Origin")
    return response


def _stored() -> dict[str, int]:
    if request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1":
        return {"stored": 0, "known": 0, "refused": 0}  # the beacon is silent by itself; this holds for all others
    limit_attempts(OF_ADDRESS, where="web/events")
    body = _body()
    visitor = visitor_of(body.get("visitor"))
    limit_attempts(OF_VISITOR, visitor, where="web/events")
    page = page_events(visitor, body.get("events", []), sent_at=body.get("sent_at"), now=request_time())
    groups: Grouped[PageEvents, PageStored] = current_app.extensions[GROUPS]
    stored = groups.do(page)
    ROWS.labels("web_events", "inserted").inc(len(stored.told))
    return {"stored": len(stored.told), "known": stored.known, "refused": page.refused}


def _store_group(pages: Sequence[PageEvents]) -> list[PageStored]:
    """Commit the events of all who wait, then tell the recommender."""
    stored = store_pages(engine_of(current_app), pages, now=request_time(), timezone=settings().chain.timezone)
    recommendations.tell_events([event for one in stored for event in one.told])
    return stored


def _body() -> dict[str, Any]:
    if (request.content_length or 0) > LARGEST:
        raise InputError("is too large", where="body", what_to_do="send fewer", problem="too-large", status=413)
    try:
        body = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise InputError("is no JSON", where="body", what_to_do="let /beacon.js send it") from error
    if not isinstance(body, dict):
        raise InputError("is no object", where="body", what_to_do="let /beacon.js send it")
    return body


def _known(origin: str) -> bool:
    """Whether it is ours or one of the shop's."""
    return bool(origin) and (urlsplit(origin).netloc == request.host or origin in settings().web.shop_origins)


def _require_known_origin() -> None:
    if not _known(request.headers.get("Origin", "")):
        raise NotAllowed(
            "pages of this origin may not send events",
            where="Origin",
            what_to_do="add it to OSUSUME_BEACON_ORIGINS",
            problem="origin",
        )
