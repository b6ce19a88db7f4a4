"""One JSON line per request on the log ``osusume.request``: no query string, no ids of people, no bodies.

The route is logged (``/api/customers/<customer_id>``), not the path, so that no log file says who was looked at;
that is what the audit log in the database is for.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
from typing import Any

import orjson
from flask import Flask, Response, g, request

HEADER = "X-Request-ID"
USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
logger = logging.getLogger("osusume.request")
FIELDS = ("request_id", "method", "route", "status", "ms", "actor", "error")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "log": record.name,
        }
        if record.name != logger.name:
            line["message"] = record.getMessage()
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def init_app(app: Flask) -> None:
    """Give every request an id, and log its end."""
    parent = logging.getLogger("osusume")
    if not parent.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
        parent.addHandler(handler)
        parent.setLevel(logging.INFO)
        parent.propagate = False
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.begun = time.perf_counter()
    given = request.headers.get(HEADER, "")
    g.request_id = given if USABLE.fullmatch(given) else secrets.token_hex(8)


def elapsed() -> float:
    """Seconds since this request began."""
    return time.perf_counter() - float(g.get("begun", time.perf_counter()))


def _end(response: Response) -> Response:
    known = g.get("request_id", "")
    response.headers[HEADER] = known
    if logger.isEnabledFor(logging.INFO):
        # made here and not by logger.info, which first looks through the stack for a line number nobody reads
        record = logging.LogRecord(logger.name, logging.INFO, "", 0, "", None, None)
        rule = request.url_rule
        record.__dict__ |= {
            "request_id": known,
            "method": request.method,
            "route": rule.rule if rule else "",
            "status": response.status_code,
            "ms": round(elapsed() * 1000, 2),
            "actor": g.get("actor_kind"),
        }
        logger.handle(record)
    return response
