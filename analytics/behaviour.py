"""What identified customers did at the tills: purchase days, spend, main channel, silence."""

from __future__ import annotations

import numpy as np
import polars as pl
from sqlalchemy import BigInteger as Big
from sqlalchemy import Float, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.customers import Customer
from journey.database import MONEY_SCALE
from journey.purchases import PosLine

SHORTEST_SILENCE, LONGEST_SILENCE = 30, 180


def customer_behaviour(session: Session, period: Period, *, store: str | None = None) -> pl.DataFrame:
    """One row per customer who bought in the period.

    person ("c:" + id), customer_id, tier, channel (where most lines were bought), purchase_days (days with something
    bought, returns aside), spend (net of returns, in the chain's currency), first_day and last_day (days since
    1970-01-01, local).
    """
    chosen = period.covers(PosLine.sold_at) & PosLine.customer_id.is_not(None)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    bought = case((PosLine.quantity > 0, PosLine.local_day))
    channels = ("ec", "app")
    lines = (
        select(
            PosLine.customer_id.label("customer_id"),
            func.count(func.distinct(bought)).label("days"),
            cast(func.sum(type_coerce(PosLine.amount, Big)), Float).label("amount"),
            func.min(bought).label("first_day"),
            func.max(bought).label("last_day"),
            *(func.sum(case((PosLine.channel == c, 1), else_=0)).label(c) for c in channels),
            func.count().label("lines"),
        )
        .where(chosen)
        .group_by(PosLine.customer_id)
        .subquery()
    )
    statement = select(
        lines.c.customer_id, Customer.tier, lines.c.days, lines.c.amount, lines.c.first_day, lines.c.last_day,
        lines.c.ec, lines.c.app, lines.c.lines,
    ).join(Customer, Customer.customer_id == lines.c.customer_id, isouter=True)  # fmt: skip
    schema = {
        "customer_id": TEXT,
        "tier": TEXT,
        "purchase_days": WHOLE,
        "amount": REAL,
        "first_day": WHOLE,
        "last_day": WHOLE,
        "ec": WHOLE,
        "app": WHOLE,
        "lines": WHOLE,
    }
    frame = query_frame(session, statement, schema).filter(pl.col("purchase_days") > 0)
    store_lines = pl.col("lines") - pl.col("ec") - pl.col("app")
    return frame.select(
        (pl.lit("c:") + pl.col("customer_id")).alias("person"),
        "customer_id",
        "tier",
        pl.when((store_lines >= pl.col("ec")) & (store_lines >= pl.col("app")))
        .then(pl.lit("store"))
        .when(pl.col("ec") >= pl.col("app"))
        .then(pl.lit("ec"))
        .otherwise(pl.lit("app"))
        .alias("channel"),
        "purchase_days",
        (pl.col("amount") / MONEY_SCALE).alias("spend"),
        "first_day",
        "last_day",
    )


def silence_days(behaviour: pl.DataFrame) -> int | None:
    """Days without a purchase after which we call a customer gone: three times the usual gap, 30 to 180 days.

    behaviour: purchase_days, first_day, last_day. The usual gap is the median over customers of their mean days
    between purchases. None where fewer than ten customers came twice.
    """
    twice = behaviour.filter(pl.col("purchase_days") > 1)
    if twice.height < 10:
        return None
    gaps = ((twice["last_day"] - twice["first_day"]) / (twice["purchase_days"] - 1)).to_numpy()
    return int(np.clip(round(3 * float(np.median(gaps))), SHORTEST_SILENCE, LONGEST_SILENCE))


def with_churn(behaviour: pl.DataFrame, last_day: int, silence: int | None) -> pl.DataFrame:
    """Behaviour with ``churned``: no purchase in the last ``silence`` days up to last_day.

    Null for customers too new to have gone silent, and for all where silence is unknown.
    """
    if silence is None:
        return behaviour.with_columns(churned=pl.lit(None, dtype=pl.Boolean))
    old_enough = pl.col("first_day") <= last_day - silence
    return behaviour.with_columns(churned=pl.when(old_enough).then(pl.col("last_day") <= last_day - silence))
