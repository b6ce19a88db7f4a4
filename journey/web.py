"""Web and app events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant

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
