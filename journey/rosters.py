"""Who works when, and on what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant

DUTIES = ("floor", "register", "back", "break")


class Shift(Base):
    """A clerk's duty in a store from a moment to another."""

    __tablename__ = "shifts"
    __table_args__ = (Index(None, "store_id", "starts_at"),)

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    store_id: Mapped[str]
    ends_at: Mapped[datetime] = mapped_column(Instant)
    duty: Mapped[str | None]
