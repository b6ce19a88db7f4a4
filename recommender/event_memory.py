"""The bridge between the record and the online store: read what it does not know, tell it what was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros
from journey.quick_statements import rows
from journey.visits import Visit
from journey.web import WebEvent
from recommender.online_events import KEPT, RecentEvent
from recommender.online_store import EVENTS_FOR, VISITS_FOR, OnlineStore, OnlineView, Seen

HEEDED: Final = ("view", "search", "cart", "favorite", "purchase", "content_view", "recommend_click")
REBUILT_AT_MOST: Final = 200_000
MICROSECOND: Final = timedelta(microseconds=1)

_WEB = WebEvent.__table__.c
# Written out: every request asks it, and composing it through SQLAlchemy costs more than the answer.
_STATEMENTS: Final = {
    (sqlite, customer): (
        "SELECT occurred_at, kind, product_id, query FROM web_events "
        f"WHERE {'customer_id' if customer else 'visitor_id'} = {mark.format('who')} "
        f"AND occurred_at > {mark.format('since')} AND occurred_at <= {mark.format('until')} "
        f"AND kind IN ({', '.join(repr(kind) for kind in HEEDED)}) ORDER BY occurred_at DESC LIMIT {KEPT}"
    )
    for sqlite, mark in ((True, ":{}"), (False, "%({})s"))
    for customer in (True, False)
}


def recent_events(
    session: Session, online: OnlineStore, *, customer_id: str | None, visitor_id: str | None, store_id: str,
    now: datetime,
) -> OnlineView:  # fmt: skip
    """The person's events: from the online store, and from the database where the store has not read it lately or
    is out of reach.
    """
    view = online.read(customer_id, store_id, visitor_id)
    micros = to_micros(now)
    if view.reachable and micros - view.read_at < online.trusts_itself_for // MICROSECOND:
        return view
    known = events_of(session, customer_id=customer_id, visitor_id=visitor_id, now=now)
    if view.reachable:
        online.fill(customer_id, visitor_id, known, micros)
    merged = sorted(dict.fromkeys([*view.events, *known]), key=lambda event: -event.at)[:KEPT]
    return OnlineView(merged, micros, view.ahead if list(view.events) == merged else None, view.reachable)


def events_of(session: Session, *, customer_id: str | None, visitor_id: str | None, now: datetime) -> list[RecentEvent]:
    """The newest events of a customer, or of a visitor, of the last days in the database."""
    statement = _STATEMENTS[is_sqlite(session), customer_id is not None]
    who = customer_id if customer_id is not None else visitor_id
    bound = {"who": who, "since": to_micros(now - EVENTS_FOR), "until": to_micros(now)}
    found = rows(session, statement, bound)
    return [RecentEvent(at, kind, product or "", query or "") for at, kind, product, query in found]


def seen_of(stored: Iterable[Mapping[str, Any]]) -> list[Seen]:
    """Rows of web_events as stored (aware datetimes) → what the online store records; other kinds are left out."""
    seen = []
    for row in stored:
        if row["kind"] in HEEDED:
            product, query = row.get("product_id") or "", row.get("query") or ""
            event = RecentEvent(to_micros(row["occurred_at"]), row["kind"], product, query)
            seen.append(Seen(event, row.get("customer_id"), row.get("visitor_id")))
    return seen


def rebuild(session: Session, online: OnlineStore, *, now: datetime) -> int:
    """Make the online store anew from the database: the newest events and who is in the stores; returns events told."""
    online.forget_all()
    events = session.execute(
        select(_WEB.customer_id, _WEB.visitor_id, _WEB.occurred_at.label("at"), _WEB.kind, _WEB.product_id, _WEB.query)
        .where(_WEB.occurred_at > now - EVENTS_FOR, _WEB.occurred_at <= now, _WEB.kind.in_(HEEDED))
        .order_by(_WEB.occurred_at.desc())
        .limit(REBUILT_AT_MOST)
    )
    told = [
        Seen(RecentEvent(to_micros(at), kind, product or "", query or ""), customer, visitor)
        for customer, visitor, at, kind, product, query in events
    ]
    online.record(reversed(told))
    visits = Visit.__table__.c
    present = session.execute(
        select(visits.store_id, visits.customer_id, visits.arrived_at)
        .where(visits.arrived_at > now - VISITS_FOR, visits.arrived_at <= now, visits.ended_at.is_(None))
        .order_by(visits.arrived_at)
    )
    for store_id, customer_id, arrived_at in present:
        online.arrive(store_id, customer_id, to_micros(arrived_at))
    return len(told)
