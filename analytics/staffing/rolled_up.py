"""Reads the roll-ups of staffing: what the screens and the report show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.staffing.assessment import on_the_wall
from analytics.staffing.service_times import ServiceLaw, law_facts
from journey.local_days import zone
from journey.staffing_slots import StaffingForecast, StaffingSlot, StaffingStore
from journey.stores import Store

LOST = ("lost_proposals_low", "lost_proposals_high", "lost_sales_low", "lost_sales_high")


@dataclass(frozen=True)
class ReportParts:
    """What the report is made of: judged slots and forecast of all stores asked for, laws, accuracy, last days."""

    slots: pl.DataFrame
    forecast: pl.DataFrame
    service: list[dict[str, Any]] = field(default_factory=list)
    accuracy: list[dict[str, Any]] = field(default_factory=list)
    last_days: list[date] = field(default_factory=list)

    def within(self, days: int) -> pl.DataFrame:
        """Return the first *days* of each store's forecast."""
        if self.forecast.is_empty():
            return self.forecast
        first = pl.col("day").min().over("store_id")
        return self.forecast.filter((pl.col("day") - first).dt.total_days() < days)


def past_slots(session: Session, store: str, *, start: date | None = None, end: date | None = None) -> pl.DataFrame:
    """Return the judged slots of a store from *start* to *end* (both included), in order.

    Columns: store_id, day, slot, slot_at, starts_at, source, arrivals, receipts, rostered, expected, needed, p_short,
    p_over, judgement, and lost_proposals and lost_sales as _low and _high.
    """
    slot = StaffingSlot
    statement = select(
        slot.store_id, slot.day, slot.slot, type_coerce(slot.slot_at, BigInteger), slot.source, slot.entered,
        slot.receipts, slot.rostered, slot.expected, slot.needed, slot.p_short, slot.p_over, slot.judgement,
        *(getattr(slot, name) for name in LOST),
    ).where(slot.store_id == store).order_by(slot.slot_at)  # fmt: skip
    if start is not None:
        statement = statement.where(slot.day >= start)
    if end is not None:
        statement = statement.where(slot.day <= end)
    schema = {
        "store_id": TEXT, "day": pl.Date, "slot": WHOLE, "slot_at": WHOLE, "source": TEXT, "arrivals": REAL,
        "receipts": WHOLE, "rostered": REAL, "expected": REAL, "needed": WHOLE, "p_short": REAL, "p_over": REAL,
        "judgement": TEXT, **dict.fromkeys(LOST, REAL),
    }  # fmt: skip
    frame = query_frame(session, statement, schema)
    shown = on_the_wall(frame.drop("day", "slot"), str(_zone(session, store))).select("starts_at")
    return frame.with_columns(shown["starts_at"])


def coming_slots(session: Session, store: str) -> pl.DataFrame:
    """Return the forecast of a store, in order: the columns of `StaffingForecast`, and starts_at."""
    slot = StaffingForecast
    statement = (
        select(
            slot.store_id, type_coerce(slot.slot_at, BigInteger), slot.day, slot.slot, slot.arrivals, slot.low,
            slot.high, slot.strength, slot.needed,
        )
        .where(slot.store_id == store)
        .order_by(slot.slot_at)
    )  # fmt: skip
    schema = {
        "store_id": TEXT, "slot_at": WHOLE, "day": pl.Date, "slot": WHOLE, "arrivals": REAL, "low": REAL, "high": REAL,
        "strength": REAL, "needed": WHOLE,
    }  # fmt: skip
    frame = query_frame(session, statement, schema)
    shown = on_the_wall(frame.drop("day", "slot"), str(_zone(session, store))).select("starts_at")
    return frame.with_columns(shown["starts_at"])


def law_of(store: StaffingStore) -> ServiceLaw:
    """Return the law of service that a store's figures rest on."""
    return ServiceLaw(**store.law)


def report_parts(session: Session, store: str | None) -> ReportParts:
    """Return all that is rolled up of a store, or of every store, as the report wants it."""
    statement = select(StaffingStore).order_by(StaffingStore.store_id)
    if store is not None:
        statement = statement.where(StaffingStore.store_id == store)
    slots, forecast, parts = [], [], ReportParts(pl.DataFrame(), pl.DataFrame())
    for each in session.scalars(statement):
        law = law_of(each)
        parts.service.append(law_facts(each.store_id, law))
        parts.last_days.append(each.last_day)
        if each.accuracy is not None:
            parts.accuracy.append(each.accuracy)
        judged = past_slots(session, each.store_id)
        slots.append(judged.with_columns(service_seconds=pl.lit(law.seconds), share_served=pl.lit(law.share)))
        forecast.append(coming_slots(session, each.store_id))
    return ReportParts(
        pl.concat(slots) if slots else parts.slots,
        pl.concat(forecast) if forecast else parts.forecast,
        parts.service,
        parts.accuracy,
        parts.last_days,
    )


def _zone(session: Session, store: str) -> Any:
    return zone(session.scalar(select(Store.timezone).where(Store.store_id == store)))
