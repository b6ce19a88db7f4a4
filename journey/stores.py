"""Stores and the clerks who work in them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base
from journey.errors import NotFound

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


def add_clerk(session: Session, clerk_id: str, *, store_id: str, name: str, role: str) -> Clerk:
    """The clerk of that id; one whom the roster does not know yet is added.

    Raises:
        NotFound: no such store.
    """
    if session.get(Store, store_id) is None:
        raise NotFound(f"no store {store_id!r}", where="store_id", what_to_do="import the stores first")
    clerk = session.get(Clerk, clerk_id)
    if clerk is None:
        clerk = Clerk(clerk_id=clerk_id, store_id=store_id, name=name, role=role, hired_on=None, left_on=None)
        session.add(clerk)
        session.flush()
    return clerk


def stores(session: Session) -> list[Store]:
    """All stores by id."""
    return list(session.scalars(select(Store).order_by(Store.store_id)))


def clerk_names(session: Session, *, store_id: str) -> dict[str, str]:
    """Clerk id → name, of those who belong to a store."""
    rows = session.execute(select(Clerk.clerk_id, Clerk.name).where(Clerk.store_id == store_id))
    return {row.clerk_id: row.name for row in rows}
