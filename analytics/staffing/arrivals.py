"""How many came in each quarter hour: from the counters at the door, else from receipts scaled by conversion."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.purchases import PosLine
from journey.traffic import Traffic

SLOT_MINUTES = 15
SLOT_MICROS = SLOT_MINUTES * 60_000_000
DEFAULT_CONVERSION = 0.7  # receipts per person entering, where no store has both counters and tills
ARRIVAL_SCHEMA = {"store_id": pl.String, "slot_at": pl.Int64, "entered": pl.Float64, "receipts": pl.Int64}


def counted(session: Session, period: Period, store: str | None = None) -> pl.DataFrame:
    """Return store_id, slot_at (microseconds, UTC) and entered (people, fractions where a bucket spans slots)."""
    statement = select(Traffic.store_id, cast(Traffic.starts_at, BigInteger), Traffic.minutes, Traffic.entered).where(
        period.covers(Traffic.starts_at)
    )
    if store is not None:
        statement = statement.where(Traffic.store_id == store)
    schema = {"store_id": TEXT, "starts_at": WHOLE, "minutes": WHOLE, "entered": WHOLE}
    return spread_buckets(query_frame(session, statement, schema))


def spread_buckets(buckets: pl.DataFrame) -> pl.DataFrame:
    """Return counter buckets (store_id, starts_at, minutes, entered) on the quarter-hour grid.

    A longer bucket is spread evenly, shorter ones are added up; a bucket belongs to the slot in which it starts.
    """
    parts = pl.max_horizontal(pl.col("minutes") // SLOT_MINUTES, pl.lit(1))
    return (
        buckets.with_columns(slot_at=pl.col("starts_at") // SLOT_MICROS * SLOT_MICROS, parts=parts)
        .with_columns(part=pl.int_ranges(pl.col("parts")))
        .explode("part")
        .select(
            "store_id",
            slot_at=pl.col("slot_at") + pl.col("part") * SLOT_MICROS,
            entered=pl.col("entered") / pl.col("parts"),
        )
        .group_by("store_id", "slot_at")
        .agg(pl.col("entered").sum())
        .sort("store_id", "slot_at")
    )


def receipts(session: Session, period: Period, store: str | None = None) -> pl.DataFrame:
    """Return store_id, slot_at, receipts and identified (receipts with a known customer) of sales in the store."""
    slot = cast(PosLine.sold_at, BigInteger) // SLOT_MICROS * SLOT_MICROS
    known = func.count(func.distinct(PosLine.receipt_id)).filter(PosLine.customer_id.is_not(None))
    statement = (
        select(PosLine.store_id, slot, func.count(func.distinct(PosLine.receipt_id)), known)
        .where(
            period.covers(PosLine.sold_at),
            PosLine.quantity > 0,
            func.coalesce(PosLine.channel, "store") == "store",
        )
        .group_by(PosLine.store_id, slot)
    )
    if store is not None:
        statement = statement.where(PosLine.store_id == store)
    schema = {"store_id": TEXT, "slot_at": WHOLE, "receipts": WHOLE, "identified": WHOLE}
    return query_frame(session, statement, schema)


def arrivals(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Return store_id, slot_at, entered, receipts, identified and source (counter or receipts) per quarter hour.

    A store without counters takes its receipts over the chain's conversion.
    """
    period = Period.of(start, end)
    door, till = counted(session, period, store), receipts(session, period, store)
    return combine(door, till)


def combine(door: pl.DataFrame, till: pl.DataFrame) -> pl.DataFrame:
    """Return the arrivals from counters *door* and receipts *till*; see `arrivals`."""
    both = door.join(till, on=["store_id", "slot_at"], how="left").with_columns(
        pl.col("receipts", "identified").fill_null(0), source=pl.lit("counter")
    )
    people, tickets = float(both["entered"].sum()), float(both["receipts"].sum())
    conversion = min(tickets / people, 1.0) if people > 0 and tickets > 0 else DEFAULT_CONVERSION
    uncounted = till.filter(~pl.col("store_id").is_in(door["store_id"].unique().implode()))
    estimated = uncounted.with_columns(entered=pl.col("receipts") / conversion, source=pl.lit("receipts"))
    return pl.concat([both, estimated.select(both.columns)], how="vertical_relaxed").sort("store_id", "slot_at")
