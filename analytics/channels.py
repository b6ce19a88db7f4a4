"""Sales and customers per channel and month, and who moves from one channel to another."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Float, case, cast, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from analytics.behaviour import customer_behaviour
from analytics.period import EPOCH_DAY, Period
from journey.database import MONEY_SCALE
from journey.purchases import PosLine


def channel_mix(session: Session, period: Period, *, store: str | None = None) -> list[dict[str, Any]]:
    """Rows of month (YYYY-MM, of the store's calendar), channel, customers (identified) and sales (net of returns)."""
    chosen = period.covers(PosLine.sold_at)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    first = session.scalar(select(func.min(PosLine.local_day)).where(chosen))
    last = session.scalar(select(func.max(PosLine.local_day)).where(chosen))
    if first is None or last is None:
        return []
    months = _month_starts(first, last)
    # A CASE over month starts instead of a date function: the same SQL on both databases.
    month = case(
        *((PosLine.local_day < (after - EPOCH_DAY).days, literal(start.strftime("%Y-%m"))) for start, after in months)
    ).label("month")
    channel = func.coalesce(PosLine.channel, "store").label("channel")
    statement = (
        select(
            month,
            channel,
            func.count(func.distinct(PosLine.customer_id)),
            cast(func.sum(type_coerce(PosLine.amount, BigInteger)), Float),
        )
        .where(chosen)
        .group_by("month", "channel")
        .order_by("month", "channel")
    )
    return [
        {"month": m, "channel": c, "customers": int(n), "sales": float(amount) / MONEY_SCALE}
        for m, c, n, amount in session.execute(statement)
    ]


def _month_starts(first: int, last: int) -> list[tuple[date, date]]:
    """The months from day number first to last: (first day, first day of the next)."""
    current = date.fromordinal(EPOCH_DAY.toordinal() + first).replace(day=1)
    end = date.fromordinal(EPOCH_DAY.toordinal() + last)
    months = []
    while current <= end:
        after = date(current.year + current.month // 12, current.month % 12 + 1, 1)
        months.append((current, after))
        current = after
    return months


def channel_shift(
    session: Session, period: Period, known_from: int, known_until: int, *, store: str | None = None
) -> dict[str, Any]:
    """Who changed their main channel from the first half of the period to the second.

    known_from, known_until: the period's edges in microseconds where it is open. ``switch_rate`` is the share of
    customers who bought in both halves with another main channel in the second; ``lost`` bought in the first only.
    """
    start = known_from if period.start is None else period.start
    end = known_until + 1 if period.end is None else period.end
    middle = (start + end) // 2
    halves = [
        customer_behaviour(session, Period(*edges), store=store).select("person", "channel")
        for edges in ((start, middle), (middle, end))
    ]
    both = halves[0].join(halves[1], on="person", suffix="_later")
    moved = both.filter(pl.col("channel") != pl.col("channel_later"))
    flows = moved.group_by("channel", "channel_later").len().sort("len", "channel", descending=[True, False])
    return {
        "switch_rate": moved.height / both.height if both.height else None,
        "customers": both.height,
        "lost": halves[0].height - both.height,
        "flows": [{"from": a, "to": b, "customers": n} for a, b, n in flows.iter_rows()],
    }
