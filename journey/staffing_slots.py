"""Roll-ups of staffing: every past quarter hour judged, the coming ones forecast, and what a store's figures rest on.

All of it can be made again from the record; the analysis that fills these tables decides what is in them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class StaffingSlot(Base):
    """A past quarter hour of a store: who came, who was on the floor, how many it took.

    ``day`` and ``slot`` (0–95) are those of the clock on the wall; an hour that the clock shows twice has two rows of
    the same slot. ``source`` tells where ``entered`` comes from: counter, receipts or scans. ``needed`` and all beside
    it are judgements; ``rostered`` and they are empty where no roster is known.
    """

    __tablename__ = "staffing_slots"
    __table_args__ = (Index(None, "store_id", "day"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    day: Mapped[date]
    slot: Mapped[int]
    source: Mapped[str]
    entered: Mapped[float]
    receipts: Mapped[int]
    identified: Mapped[int]
    rostered: Mapped[float | None]
    expected: Mapped[float | None]
    needed: Mapped[int | None]
    p_short: Mapped[float | None]
    p_over: Mapped[float | None]
    judgement: Mapped[str | None]
    lost_proposals_low: Mapped[float | None]
    lost_proposals_high: Mapped[float | None]
    lost_sales_low: Mapped[float | None]
    lost_sales_high: Mapped[float | None]


class StaffingForecast(Base):
    """A coming quarter hour of a store: arrivals expected with their 95 % interval, and clerks needed for them.

    ``strength`` is k of the negative binomial with mean ``arrivals``.
    """

    __tablename__ = "staffing_forecasts"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    slot_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    day: Mapped[date]
    slot: Mapped[int]
    arrivals: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    strength: Mapped[float]
    needed: Mapped[int]


class ForecastWeek(Base):
    """How good the forecast of a past week was, made with nothing but the weeks before it.

    ``naive_wape`` is that of the same quarter hour a week earlier; ``coverage`` the share inside the 95 % interval.
    """

    __tablename__ = "forecast_weeks"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int]
    wape: Mapped[float]
    naive_wape: Mapped[float]
    pinball_10: Mapped[float]
    pinball_50: Mapped[float]
    pinball_90: Mapped[float]
    coverage: Mapped[float]


class StaffingStore(Base):
    """What the figures of a store rest on: the law of service, the accuracy on held-out days, and until when."""

    __tablename__ = "staffing_stores"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    last_day: Mapped[date]
    law: Mapped[dict[str, Any]] = mapped_column(JSON)
    accuracy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class StaffingDay(Base):
    """Which facts the slots of a store's day (of UTC, days since 1970) were made from; a change shows here."""

    __tablename__ = "staffing_days"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    utc_day: Mapped[int] = mapped_column(primary_key=True)
    facts: Mapped[str]


def staffing_store(session: Session, store_id: str) -> StaffingStore | None:
    """What the staffing figures of a store rest on; None where nothing was rolled up yet."""
    return session.get(StaffingStore, store_id)


def forecast_weeks(session: Session, store_id: str, *, limit: int = 8) -> list[ForecastWeek]:
    """The accuracy of the last weeks, the oldest first."""
    rows = session.scalars(
        select(ForecastWeek).where(ForecastWeek.store_id == store_id).order_by(ForecastWeek.week.desc()).limit(limit)
    )
    return list(rows)[::-1]
