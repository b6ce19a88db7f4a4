"""What a browser may tell us: cleans the events of the beacon before they go the way of all web events.

Anybody can send what a page sends. So a browser never names a customer (log-in does, from the shop's server), cannot
speak for an app code or another system's cookie, brings no products into being, and writes no long texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from journey.database import to_micros
from journey.errors import InputError
from journey.tablet_clock import true_moment

KINDS = ("view", "search", "cart", "favorite", "content_view", "recommend_click")
VISITOR = re.compile(r"b\.[A-Za-z0-9_-]{22}")
MOST_EVENTS = 50
OLDEST = timedelta(days=2)
MILLISECONDS = 1000
LENGTHS = {"product_id": 64, "content_id": 64, "page": 200, "query": 100, "referrer": 200}


def visitor_of(given: Any) -> str:
    """The visitor as the beacon names one.

    Raises:
        InputError: it is none; only ids that the beacon makes can be sent from a page.
    """
    if not isinstance(given, str) or not VISITOR.fullmatch(given):
        raise InputError("is no visitor of the beacon", where="visitor", what_to_do="let /beacon.js make the id")
    return given


@dataclass(frozen=True)
class PageEvents:
    """What one request of a page brought: rows of ``web_events`` (``occurred_at`` in µs UTC), each event once; how many
    events it had, and how many of them were refused.
    """

    rows: list[dict[str, Any]]
    sent: int
    refused: int


def page_events(visitor: str, events: Any, *, sent_at: Any, now: datetime) -> PageEvents:
    """The events that can be stored.

    A clock that is off by more than five minutes is put right by ``sent_at`` (milliseconds since 1970, like ``at``).

    Raises:
        InputError: more events than a beacon ever holds, or no list of them.
    """
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise InputError(f"is no list of at most {MOST_EVENTS} events", where="events", what_to_do="send fewer at once")
    sent = _moment(sent_at)
    rows: dict[str, dict[str, Any]] = {}
    refused = 0
    for event in events:
        row = _row(event, visitor, sent, now) if isinstance(event, dict) else None
        if row is None:
            refused += 1
        else:
            rows.setdefault(row["event_id"], row)
    return PageEvents(list(rows.values()), len(events), refused)


def _row(event: dict[str, Any], visitor: str, sent: datetime | None, now: datetime) -> dict[str, Any] | None:
    at, kind = _moment(event.get("at")), event.get("kind")
    try:
        event_id = str(UUID(event.get("id")))
        session_id = str(UUID(event["session"])) if event.get("session") else None
    except (ValueError, TypeError, AttributeError):
        return None
    if at is None or kind not in KINDS:
        return None
    occurred = true_moment(at, received_at=now, sent_at=sent)
    if occurred < now - OLDEST:
        return None
    texts = {name: _text(event.get(name), most) for name, most in LENGTHS.items()}
    for address in ("page", "referrer"):  # what stands behind ? and # may be anything, also a name or a token
        texts[address] = re.split(r"[?#]", texts[address] or "", maxsplit=1)[0] or None
    return {
        "event_id": event_id, "occurred_at": to_micros(occurred), "visitor_id": visitor, "session_id": session_id,
        "kind": kind, **texts,
    }  # fmt: skip


def _moment(milliseconds: Any) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / MILLISECONDS, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _text(given: Any, most: int) -> str | None:
    if not isinstance(given, str):
        return None
    plain = "".join(sign if sign.isprintable() else " " for sign in given[:most]).strip()
    return plain or None
