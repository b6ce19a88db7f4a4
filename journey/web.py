"""Web and app events."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant, from_micros
from journey.linking import among

KINDS = (
    "view",
    "search",
    "cart",
    "favorite",
    "purchase",
    "content_view",
    "recommend_click",
    "mail_sent",
    "mail_open",
    "checkin",
)


class WebEvent(Base):
    """One event of a visitor (the cookie); ``customer_id`` is the One ID it resolves to, if any."""

    __tablename__ = "web_events"
    __table_args__ = (
        Index(None, "customer_id", "occurred_at"),
        Index(None, "visitor_id"),
        Index(None, "occurred_at"),
    )

    event_id: Mapped[str] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    visitor_id: Mapped[str]
    session_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    customer_ref: Mapped[str | None]
    kind: Mapped[str]
    product_id: Mapped[str | None]
    content_id: Mapped[str | None]
    page: Mapped[str | None]
    query: Mapped[str | None]
    referrer: Mapped[str | None]


TOLD = ("event_id", "occurred_at", "kind", "product_id", "query", "customer_id", "visitor_id")


def stored_events(session: Session, event_ids: Collection[str]) -> list[dict[str, Any]]:
    """What the record has of these events: the columns of ``TOLD``. Asked with every request, so in plain SQL."""
    connection = session.connection()
    some, given = among(connection, event_ids)
    rows = connection.exec_driver_sql(f"SELECT {', '.join(TOLD)} FROM web_events WHERE event_id {some}", (given,))
    found = [dict(zip(TOLD, row, strict=True)) for row in rows]
    for event in found:
        event["occurred_at"] = from_micros(event["occurred_at"])
    return found
