"""Who is in the store or expected there: check-ins, orders to collect, contacts on other channels."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant


class Visit(Base):
    """A customer in a store: announced by the app (checkin), seen by a clerk (scan) or booked (appointment)."""

    __tablename__ = "visits"
    __table_args__ = (Index(None, "store_id", "arrived_at"), Index(None, "customer_id"))

    visit_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    customer_id: Mapped[str]
    customer_ref: Mapped[str]
    source: Mapped[str]
    arrived_at: Mapped[datetime] = mapped_column(Instant)
    attended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    clerk_id: Mapped[str | None]


class Order(Base):
    """A mobile order or reservation to collect in a store."""

    __tablename__ = "orders"
    __table_args__ = (Index(None, "store_id", "pickup_at"), Index(None, "customer_id"))

    order_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    customer_ref: Mapped[str]
    store_id: Mapped[str]
    ordered_at: Mapped[datetime] = mapped_column(Instant)
    pickup_at: Mapped[datetime | None] = mapped_column(Instant)
    status: Mapped[str | None]


class Contact(Base):
    """A call, chat or mail with the customer."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "customer_id"),)

    contact_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str | None]
    customer_ref: Mapped[str | None]
    channel: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(Instant)
    seconds: Mapped[float | None]
    topic: Mapped[str | None]
    resolved: Mapped[bool | None]
