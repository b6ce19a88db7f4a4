"""Web events of the record, visitor by visitor, so that sessions of any number of events fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import BigInteger, Float, and_, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.sessions import BROWSING, SHOPPING, Step, funnel_sessions, page_exits, session_table, sessionise
from journey.web import WebEvent

CHUNK = 200_000
_SCHEMA = {
    "visitor": pl.String,
    "session_id": pl.String,
    "customer_id": pl.String,
    "kind": pl.String,
    "page": pl.String,
    "at": pl.Int64,
}


def browsing_chunks(session: Session, period: Period, *, chunk: int = CHUNK) -> Iterator[pl.DataFrame]:
    """Events of people using the site, in frames that never cut a visitor in two."""
    statement = (
        select(
            WebEvent.visitor_id,
            WebEvent.session_id,
            WebEvent.customer_id,
            WebEvent.kind,
            func.coalesce(WebEvent.page, WebEvent.content_id),
            type_coerce(WebEvent.occurred_at, BigInteger),
        )
        .where(WebEvent.kind.in_(BROWSING), period.covers(WebEvent.occurred_at))
        .order_by(WebEvent.visitor_id, WebEvent.occurred_at, WebEvent.event_id)
        .execution_options(yield_per=50_000)
    )
    held = pl.DataFrame(schema=_SCHEMA)
    for rows in session.execute(statement).partitions():
        columns = list(zip(*rows, strict=True))
        held = held.vstack(
            pl.DataFrame([pl.Series(n, c, t) for (n, t), c in zip(_SCHEMA.items(), columns, strict=True)])
        )
        if held.height >= chunk:
            unfinished = held["visitor"] == held["visitor"][-1]
            yield held.filter(~unfinished)
            held = held.filter(unfinished)
    if held.height:
        yield held


@dataclass
class WebTally:
    """What the sessions add up to: counts per funnel step, exits per page, and the sessions of known customers."""

    steps: tuple[Step, ...] = SHOPPING
    sessions: int = 0
    reached: list[int] = field(default_factory=list)
    buying: int = 0
    exits: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"page": pl.String, "sessions": pl.Int64, "exits": pl.Int64})
    )
    identified: list[pl.DataFrame] = field(default_factory=list)

    def add(self, events: pl.DataFrame) -> None:
        """Count a frame of whole visitors."""
        cut = sessionise(events)
        table = session_table(cut)
        self.sessions += table.height
        self.buying += int(table["bought"].sum())
        counts = funnel_sessions(cut, self.steps)
        self.reached = [a + b for a, b in zip(self.reached or [0] * len(counts), counts, strict=True)]
        self.exits = pl.concat([self.exits, page_exits(cut)]).group_by("page").sum()
        known = table.filter(pl.col("customer_id").is_not_null())
        self.identified.append(known.select("customer_id", pl.col("starts_at").alias("at"), "bought"))

    def known_sessions(self) -> pl.DataFrame:
        """Sessions of known customers: customer_id, at (start), bought."""
        empty = pl.DataFrame(schema={"customer_id": pl.String, "at": pl.Int64, "bought": pl.Boolean})
        return pl.concat([empty, *self.identified])


def web_tally(session: Session, period: Period, steps: tuple[Step, ...] = SHOPPING) -> WebTally:
    """All sessions of a period, counted."""
    tally = WebTally(steps)
    for events in browsing_chunks(session, period):
        tally.add(events)
    return tally


def mail_open_rate(session: Session, period: Period) -> tuple[float | None, int]:
    """Share of mails sent that were opened, and how many were sent.

    A mail is a content_id to one customer (or visitor, where the customer is unknown); opening it again, or opening
    what was not sent in the period, does not count.
    """
    who = func.coalesce(WebEvent.customer_id, WebEvent.visitor_id)
    what = func.coalesce(WebEvent.content_id, "")
    sent, opened = (func.sum(case((WebEvent.kind == kind, 1), else_=0)) for kind in ("mail_sent", "mail_open"))
    mails = (
        select(sent.label("sent"), opened.label("opened"))
        .where(and_(WebEvent.kind.in_(("mail_sent", "mail_open")), period.covers(WebEvent.occurred_at)))
        .group_by(who, what)
        .subquery()
    )
    counted = case((mails.c.opened < mails.c.sent, mails.c.opened), else_=mails.c.sent)
    total, read = session.execute(select(cast(func.sum(mails.c.sent), Float), cast(func.sum(counted), Float))).one()
    return (float(read) / float(total), int(total)) if total else (None, 0)
