"""Products, and how many of each a store has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant, Money


class Product(Base):
    """A product; ``category`` has levels joined by `` > ``; ``price`` includes tax (総額)."""

    __tablename__ = "products"

    product_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str | None]
    brand: Mapped[str | None]
    price: Mapped[Decimal | None] = mapped_column(Money)
    released_on: Mapped[date | None]
    discontinued_on: Mapped[date | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    stub: Mapped[bool] = mapped_column(default=False)


class Stock(Base):
    """How many of a product a store had at a moment; one row per store and product, the latest known."""

    __tablename__ = "stock"
    __table_args__ = (Index(None, "product_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[float]
    as_of: Mapped[datetime] = mapped_column(Instant)


def product_names(session: Session, only: Collection[str] | None = None) -> dict[str, str]:
    """Product id → name, of all products whose name is known, or of some of them."""
    statement = select(Product.product_id, Product.name).where(Product.stub.is_(False))
    if only is not None:
        statement = statement.where(Product.product_id.in_(only))
    return {row.product_id: row.name for row in session.execute(statement)}


def categories(session: Session) -> list[str]:
    """All categories with those above them, in order: «食品», «食品 > 菓子» …"""
    found: set[str] = set()
    for name in session.scalars(select(Product.category).where(Product.category.is_not(None)).distinct()):
        levels = str(name).split(" > ")
        found |= {" > ".join(levels[:depth]) for depth in range(1, len(levels) + 1)}
    return sorted(found)


def sold_out(session: Session, store_id: str) -> frozenset[str]:
    """Products of which a store is known to have none; unknown stock is not none."""
    return frozenset(session.scalars(select(Stock.product_id).where(Stock.store_id == store_id, Stock.quantity <= 0)))
