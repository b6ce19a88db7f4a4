"""Errors as problem details (RFC 9457): the one place where the exception tree becomes HTTP.

Every document has ``type`` (``urn:osusume:problem:…``), ``title``, ``status``, ``detail`` and, where known, ``what``,
``where``, ``what_to_do``, ``request_id`` and further facts.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import orjson
from apiflask.exceptions import HTTPError
from flask import Flask, Response, current_app, g, render_template, request
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NoSuchPage

from clerk_ui.languages import catalogue, t
from journey.errors import (
    Conflict,
    InputError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    OsusumeError,
    TooMany,
    Unavailable,
    UnreadableFile,
)

TYPE = "urn:osusume:problem:"
MEDIA_TYPE = "application/problem+json"
# The most special first: the first that fits decides.
STATUS: tuple[tuple[type[OsusumeError], int, str], ...] = (
    (NotAuthenticated, 401, "not-authenticated"),
    (NotAllowed, 403, "not-allowed"),
    (NotFound, 404, "not-found"),
    (Conflict, 409, "conflict"),
    (TooMany, 429, "too-many"),
    (UnreadableFile, 400, "unreadable"),
    (InputError, 422, "invalid"),
    (Unavailable, 503, "unavailable"),
    (OsusumeError, 500, "internal"),
)
logger = logging.getLogger("osusume.error")


def init_app(app: Flask) -> None:
    """Answer every error with a problem document; browsers that ask for pages get a page."""
    app.register_error_handler(OsusumeError, from_error)
    app.register_error_handler(HTTPError, from_validation)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(DBAPIError, from_database)
    app.register_error_handler(Exception, from_defect)


def problem(
    status: int,
    kind: str,
    *,
    what: str,
    where: str = "",
    what_to_do: str = "",
    headers: dict[str, str] | None = None,
    **facts: Any,
) -> Response:
    """A problem document as a response; a page where a person's browser asks for one."""
    detail = OsusumeError(what, where=where, what_to_do=what_to_do).sentence
    document: dict[str, Any] = {
        "type": TYPE + kind,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "what": what,
        "where": where or _here(),
        "what_to_do": what_to_do,
        "request_id": g.get("request_id"),
    }
    document.update({name: value for name, value in facts.items() if name not in document})
    if _wants_page():
        response = Response(_page(document), status=status, mimetype="text/html")
    else:
        response = Response(orjson.dumps(document, default=str), status=status, mimetype=MEDIA_TYPE)
    response.headers.update(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="osusume"'
    return response


def from_error(error: OsusumeError) -> Response:
    """An error of the tree; ``problem`` among its facts names a special type, ``status`` a special status."""
    status, kind = next((status, kind) for cls, status, kind in STATUS if isinstance(error, cls))
    facts = dict(error.facts)
    kind, status = facts.pop("problem", kind), facts.pop("status", status)
    headers = {"Retry-After": str(facts["retry_after"])} if "retry_after" in facts else None
    return problem(
        status, kind, what=error.what, where=error.where, what_to_do=error.what_to_do, headers=headers, **facts
    )


def from_validation(error: HTTPError) -> Response:
    """A body or query that its model refuses: each field with what is wrong with it."""
    found = [
        {"where": f"{place}.{field}", "what": message}
        for place, fields in (error.detail or {}).items()
        for field, messages in fields.items()
        for message in messages
    ]
    first = found[0] if found else {"where": "", "what": error.message or "cannot be used"}
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem(
        error.status_code,
        "invalid",
        what=f"{first['what']}{more}",
        where=first["where"],
        what_to_do="correct the request; /api/openapi.json tells what is expected",
        errors=found,
    )


def from_http(error: HTTPException) -> Response:
    """What Flask itself refuses."""
    if error.response is not None or (error.code or 500) < HTTPStatus.BAD_REQUEST:
        return current_app.make_response(error.get_response())
    kind, what, what_to_do = "http", error.description or error.name, ""
    if isinstance(error, NoSuchPage):
        kind, what, what_to_do = "no-such-page", "nothing is served under this address", "see /api/openapi.json"
    elif isinstance(error, MethodNotAllowed):
        kind, what_to_do = "method", f"use {', '.join(sorted(error.valid_methods or []))}"
    elif isinstance(error, RequestEntityTooLarge):
        kind, what, what_to_do = "too-large", "the body is too large", "send it in smaller parts"
    elif isinstance(error, BadRequest):
        kind, what, what_to_do = "bad-request", "the body is not JSON", "send a JSON document in UTF-8"
    headers = {"Allow": ", ".join(sorted(error.valid_methods or []))} if isinstance(error, MethodNotAllowed) else None
    return problem(error.code or 500, kind, what=what, what_to_do=what_to_do, headers=headers)


def from_database(error: DBAPIError) -> Response:
    """The database does not answer, or refuses what passed all checks; its words may quote rows and stay inside."""
    logger.error("database", extra={"error": type(error.orig).__name__, "request_id": g.get("request_id")})
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return problem(
            503,
            "unavailable",
            what="the database does not answer",
            what_to_do="try again in a moment",
            headers={"Retry-After": "2"},
        )
    return from_defect(error)


def from_defect(error: Exception) -> Response:
    """Anything else is our defect: logged with its traceback, told without it."""
    logger.exception("unexpected", exc_info=error, extra={"request_id": g.get("request_id")})
    return problem(
        500, "internal", what="something went wrong on our side", what_to_do="try again; report the request id"
    )


def _wants_page() -> bool:
    accepted = request.accept_mimetypes
    asks = accepted["text/html"] > accepted["application/json"] and "text/html" in accepted.values()
    return asks and not request.path.startswith("/api/")


def _page(document: dict[str, Any]) -> str:
    nearest = str(document["status"]) if f"problem.{document['status']}" in catalogue("ja") else "500"
    known = document["status"] < HTTPStatus.INTERNAL_SERVER_ERROR and document["where"] != _here()
    return render_template(
        "problem.html",
        title=t(f"problem.{nearest}"),
        what_to_do=t(f"problem.{nearest}.how"),
        detail=document["detail"] if known else "",
        request_id=document["request_id"],
    )


def _here() -> str:
    return f"{request.method} {request.url_rule.rule if request.url_rule else ''}".strip()
