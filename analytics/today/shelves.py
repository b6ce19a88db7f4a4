"""Goods that clerks were told to propose and that the store does not have."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import Session, aliased

from analytics.today.finding import Finding
from journey.products import Product, Stock
from journey.suggestions import Suggestion, was_shown

LOOK_BACK = timedelta(days=7)
LISTED = 100


def sold_out(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Products out of stock here that were shown for customers in the last week; customers are counted once."""
    elsewhere = aliased(Stock)
    shown = (
        select(Suggestion.product_id, Suggestion.customer_id)
        .join(Stock, (Stock.product_id == Suggestion.product_id) & (Stock.store_id == store))
        .where(
            Suggestion.store_id == store,
            Suggestion.shown_at >= now - LOOK_BACK,
            Suggestion.shown_at <= now,
            Suggestion.customer_id.is_not(None),
            Stock.quantity <= 0,
            was_shown(),
        )
        .distinct()
        .subquery()
    )
    people = session.scalar(select(func.count(distinct(shown.c.customer_id)))) or 0
    if not people:
        return None
    others = (
        select(func.coalesce(func.sum(elsewhere.quantity), 0))
        .where(elsewhere.product_id == shown.c.product_id, elsewhere.store_id != store, elsewhere.quantity > 0)
        .scalar_subquery()
    )
    rows = session.execute(
        select(shown.c.product_id, Product.name, func.count(), others)
        .outerjoin(Product, Product.product_id == shown.c.product_id)
        .group_by(shown.c.product_id, Product.name)
        .order_by(func.count().desc(), shown.c.product_id)
        .limit(LISTED)
    ).all()
    return Finding(
        "sold_out", people, people,
        {"people": people, "products": len(rows), "first": rows[0][1] or rows[0][0], "times": rows[0][2]},
        ("product", "product_id", "customers", "elsewhere"),
        [{"product": name or product, "product_id": product, "customers": count, "elsewhere": float(other or 0)}
         for product, name, count, other in rows],
    )  # fmt: skip
