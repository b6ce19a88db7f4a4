"""Stores and the clerks who work in them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base

DEFAULT_TIMEZONE = "Asia/Tokyo"


class Store(Base):
    """A shop, or an EC shop. A stub was only named by a fact; it is filled when its master row comes."""

    __tablename__ = "stores"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    area: Mapped[str | None]
    timezone: Mapped[str | None]
    opened_on: Mapped[date | None]
    stub: Mapped[bool] = mapped_column(default=False)


class Clerk(Base):
    """A person who serves (スタッフ), or manages a store."""

    __tablename__ = "clerks"
    __table_args__ = (Index(None, "store_id"),)

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    name: Mapped[str]
    role: Mapped[str | None]
    hired_on: Mapped[date | None]
    left_on: Mapped[date | None]
    stub: Mapped[bool] = mapped_column(default=False)
