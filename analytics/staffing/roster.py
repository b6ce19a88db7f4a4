"""Who is on the floor in each quarter hour, by the roster."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.staffing.arrivals import SLOT_MICROS
from journey.rosters import Shift

LONGEST_SHIFT_MICROS = 24 * 3_600_000_000


def shifts(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Return clerk_id, store_id, starts_at, ends_at (microseconds) and duty of shifts that begin on these days."""
    return shifts_in(session, Period.of(start, end), store)


def shifts_in(session: Session, period: Period, store: str | None = None) -> pl.DataFrame:
    """Return the same of shifts that begin in the *period*."""
    statement = select(
        Shift.clerk_id,
        Shift.store_id,
        cast(Shift.starts_at, BigInteger),
        cast(Shift.ends_at, BigInteger),
        func.coalesce(Shift.duty, "floor"),
    ).where(period.covers(Shift.starts_at))
    if store is not None:
        statement = statement.where(Shift.store_id == store)
    schema = {"clerk_id": TEXT, "store_id": TEXT, "starts_at": WHOLE, "ends_at": WHOLE, "duty": TEXT}
    return query_frame(session, statement, schema)


def on_floor(shifts: pl.DataFrame) -> pl.DataFrame:
    """Return store_id, slot_at and rostered: clerks on the floor, fractions where a shift covers part of a slot.

    A break or another duty inside a floor shift takes the clerk off the floor. Shifts that end before they begin, or
    last longer than a day, are left out.
    """
    length = pl.col("ends_at") - pl.col("starts_at")
    first = pl.col("starts_at") // SLOT_MICROS
    last = (pl.col("ends_at") - 1) // SLOT_MICROS
    slot_start = pl.col("slot") * SLOT_MICROS
    overlap = pl.min_horizontal(pl.col("ends_at"), slot_start + SLOT_MICROS) - pl.max_horizontal(
        pl.col("starts_at"), slot_start
    )
    floor = pl.col("duty") == "floor"
    return (
        shifts.filter((length > 0) & (length <= LONGEST_SHIFT_MICROS))
        .with_columns(slot=pl.int_ranges(first, last + 1))
        .explode("slot")
        .with_columns(overlap=overlap / SLOT_MICROS)
        .group_by("store_id", "clerk_id", "slot")
        .agg(on=pl.col("overlap").filter(floor).sum(), off=pl.col("overlap").filter(~floor).sum())
        .with_columns(there=pl.min_horizontal(pl.col("on"), pl.max_horizontal(1.0 - pl.col("off"), 0.0)))
        .group_by("store_id", slot_at=pl.col("slot") * SLOT_MICROS)
        .agg(rostered=pl.col("there").sum())
        .sort("store_id", "slot_at")
    )
