"""Customers' purchase histories as the models of lifetime value take them."""

from __future__ import annotations

import polars as pl
from sqlalchemy import BigInteger, Float, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from journey.customers import Customer
from journey.database import MONEY_SCALE
from journey.purchases import PosLine

UNITS = {"day": 1.0, "week": 7.0}


def purchase_histories(session: Session, last_day: int, *, store: str | None = None) -> pl.DataFrame:
    """One row per customer with a purchase up to last_day (days since 1970-01-01, local).

    customer_id, tier, x (purchase days after the first), first_day, latest_day, mean_amount (of the days after the
    first, net of that day's returns; null where x is 0), spend (all days). Returns alone make no purchase day;
    several receipts of a day are one.
    """
    chosen = PosLine.customer_id.is_not(None) & (PosLine.local_day <= last_day) & (PosLine.quantity > 0)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    days = (
        select(
            PosLine.customer_id.label("customer_id"),
            PosLine.local_day.label("day"),
            func.sum(type_coerce(PosLine.amount, BigInteger)).label("amount"),
        )
        .where(chosen)
        .group_by(PosLine.customer_id, PosLine.local_day)
        .subquery()
    )
    each = (
        select(
            days.c.customer_id,
            func.count().label("days"),
            func.min(days.c.day).label("first_day"),
            func.max(days.c.day).label("latest_day"),
            func.sum(days.c.amount).label("amount"),
        )
        .group_by(days.c.customer_id)
        .subquery()
    )
    first = days.alias("first")
    statement = (
        select(
            each.c.customer_id,
            Customer.tier,
            each.c.days - 1,
            each.c.first_day,
            each.c.latest_day,
            cast(each.c.amount - first.c.amount, Float),
            cast(each.c.amount, Float),
        )
        .join(first, (first.c.customer_id == each.c.customer_id) & (first.c.day == each.c.first_day))
        .join(Customer, Customer.customer_id == each.c.customer_id, isouter=True)
        .order_by(each.c.customer_id)
    )
    schema = {
        "customer_id": TEXT,
        "tier": TEXT,
        "x": WHOLE,
        "first_day": WHOLE,
        "latest_day": WHOLE,
        "after_first": REAL,
        "spend": REAL,
    }
    frame = query_frame(session, statement, schema)
    return frame.select(
        "customer_id",
        "tier",
        "x",
        "first_day",
        "latest_day",
        pl.when(pl.col("x") > 0).then(pl.col("after_first") / MONEY_SCALE / pl.col("x")).alias("mean_amount"),
        (pl.col("spend") / MONEY_SCALE).alias("spend"),
    )


def later_purchases(session: Session, after_day: int, last_day: int, *, store: str | None = None) -> pl.DataFrame:
    """Purchase days and spend in (after_day, last_day]: customer_id, later, later_spend."""
    chosen = PosLine.customer_id.is_not(None) & (PosLine.quantity > 0)
    chosen = chosen & (PosLine.local_day > after_day) & (PosLine.local_day <= last_day)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    statement = (
        select(
            PosLine.customer_id,
            func.count(func.distinct(PosLine.local_day)),
            cast(func.sum(type_coerce(PosLine.amount, BigInteger)), Float),
        )
        .where(chosen)
        .group_by(PosLine.customer_id)
    )
    frame = query_frame(session, statement, {"customer_id": TEXT, "later": WHOLE, "later_spend": REAL})
    return frame.with_columns(pl.col("later_spend") / MONEY_SCALE)


def with_times(histories: pl.DataFrame, last_day: int, unit: str) -> pl.DataFrame:
    """Histories with t_x and T in units of ``unit`` (day or week)."""
    length = UNITS[unit]
    return histories.with_columns(
        t_x=(pl.col("latest_day") - pl.col("first_day")) / length, T=(last_day - pl.col("first_day")) / length
    )
