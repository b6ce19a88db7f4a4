"""How many came in each quarter hour: from the counters at the door, else from receipts or scans scaled up.

A store without counters takes its receipts over the chain's conversion; one without tills here either takes the
customers opened on its tablets over the share that the chain opens of those who come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import BigInteger, cast, func, or_, select
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.purchases import PosLine
from journey.stores import Store
from journey.suggestions import Suggestion
from journey.traffic import Traffic

SLOT_MINUTES = 15
SLOT_MICROS = SLOT_MINUTES * 60_000_000
SAME_MOMENT = 3  # receipts of one and the same microsecond that no till closes
DEFAULT_CONVERSION = 0.7  # receipts per person entering, where no store has both counters and tills
DEFAULT_SCAN_SHARE = 0.25  # customers opened on the tablet per person entering, where no store has both
ARRIVALS = {
    "store_id": pl.String, "slot_at": pl.Int64, "entered": pl.Float64, "receipts": pl.Int64, "identified": pl.Int64,
    "source": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Scaling:
    """What a person entering leaves behind on average: *receipts* at the till, *scans* on the tablets."""

    receipts: float = DEFAULT_CONVERSION
    scans: float = DEFAULT_SCAN_SHARE

    @classmethod
    def of(cls, entered: float, receipts: float, scans: float) -> Scaling:
        """The scaling of stores with counters, which saw so many people, receipts and scans."""

        def share(count: float, default: float) -> float:
            return min(count / entered, 1.0) if entered > 0 and count > 0 else default

        return cls(share(receipts, DEFAULT_CONVERSION), share(scans, DEFAULT_SCAN_SHARE))


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
    """Return store_id, slot_at, receipts and identified (receipts with a known customer) of sales in the store.

    Several receipts that all bear the first moment of a slot, and no other in it, are dates or full hours written as
    times: they do not tell when somebody came, and are left out.
    """
    moment = cast(PosLine.sold_at, BigInteger)
    slot = moment // SLOT_MICROS * SLOT_MICROS
    known = func.count(func.distinct(PosLine.receipt_id)).filter(PosLine.customer_id.is_not(None))
    statement = (
        select(PosLine.store_id, slot, func.count(func.distinct(PosLine.receipt_id)), known)
        .where(
            PosLine.store_id.in_(select(Store.store_id)),  # so that a few days are found store by store, by index
            period.covers(PosLine.sold_at),
            PosLine.quantity > 0,
            func.coalesce(PosLine.channel, "store") == "store",
        )
        .group_by(PosLine.store_id, slot)
        .having(or_(func.max(moment) > slot, func.count(func.distinct(PosLine.receipt_id)) < SAME_MOMENT))
    )
    if store is not None:
        statement = statement.where(PosLine.store_id == store)
    schema = {"store_id": TEXT, "slot_at": WHOLE, "receipts": WHOLE, "identified": WHOLE}
    return query_frame(session, statement, schema)


def scans(session: Session, period: Period, store: str | None = None) -> pl.DataFrame:
    """Return store_id, slot_at and scans: customers opened on the tablets of a store."""
    slot = cast(Suggestion.shown_at, BigInteger) // SLOT_MICROS * SLOT_MICROS
    opened = func.count(func.distinct(func.coalesce(Suggestion.set_id, Suggestion.suggestion_id)))
    statement = (
        select(Suggestion.store_id, slot, opened)
        .where(period.covers(Suggestion.shown_at))
        .group_by(Suggestion.store_id, slot)
    )
    if store is not None:
        statement = statement.where(Suggestion.store_id == store)
    return query_frame(session, statement, {"store_id": TEXT, "slot_at": WHOLE, "scans": WHOLE})


def arrivals(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Return store_id, slot_at, entered, receipts, identified and source (counter, receipts or scans) per quarter hour.

    A store without counters takes its receipts over the chain's conversion, see the module.
    """
    period = Period.of(start, end)
    return combine(counted(session, period, store), receipts(session, period, store), scans(session, period, store))


def combine(
    door: pl.DataFrame, till: pl.DataFrame, opened: pl.DataFrame | None = None, scaling: Scaling | None = None
) -> pl.DataFrame:
    """Return the arrivals from counters *door*, receipts *till* and scans *opened*; see `arrivals`.

    *scaling* is that of the stores at hand unless given.
    """
    both = door.join(till, on=["store_id", "slot_at"], how="left").with_columns(
        pl.col("receipts", "identified").fill_null(0), source=pl.lit("counter")
    )
    counted_stores, till_stores = door["store_id"].unique(), till["store_id"].unique()
    if scaling is None:
        seen = 0 if opened is None else opened.filter(pl.col("store_id").is_in(counted_stores.implode()))["scans"].sum()
        scaling = Scaling.of(float(both["entered"].sum()), float(both["receipts"].sum()), float(seen))
    uncounted = till.filter(~pl.col("store_id").is_in(counted_stores.implode()))
    parts = [both, uncounted.with_columns(entered=pl.col("receipts") / scaling.receipts, source=pl.lit("receipts"))]
    if opened is not None:
        bare = opened.filter(~pl.col("store_id").is_in(pl.concat([counted_stores, till_stores]).implode()))
        parts.append(
            bare.with_columns(entered=pl.col("scans") / scaling.scans, receipts=0, identified=0, source=pl.lit("scans"))
        )
    columns = [pl.col(name).cast(kind) for name, kind in ARRIVALS.items()]
    return pl.concat([part.select(columns) for part in parts]).sort("store_id", "slot_at")
