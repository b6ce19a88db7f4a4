"""The quarter hours of a day that are still to come: what is expected against the roster, and the same hour by hour."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.staffing.arrivals import SLOT_MICROS
from analytics.staffing.judgement import judge
from analytics.staffing.rolled_up import coming_slots, law_of
from analytics.staffing.roster import on_floor, shifts_in
from journey.database import to_micros
from journey.local_days import day_bounds
from journey.staffing_slots import StaffingForecast, StaffingStore, staffing_store


def judged_day(session: Session, state: StaffingStore | None, tz: ZoneInfo, day: date) -> pl.DataFrame | None:
    """Return the quarter hours of a coming *day*: forecast, roster and judgement; None without a forecast.

    `rostered` is null where no shift of that day is known.
    """
    if state is None:
        return None
    coming = coming_slots(session, state.store_id).filter(pl.col("day") == day)
    if coming.is_empty():
        return None
    law = law_of(state)
    begins, ends = (to_micros(at) for at in day_bounds(day, tz))
    duty = shifts_in(session, Period(begins, ends), state.store_id)
    floor = on_floor(duty).select("slot_at", "rostered")
    both = coming.join(floor, on="slot_at", how="left")
    rostered = pl.col("rostered").fill_null(0.0) if not duty.is_empty() else pl.lit(None, dtype=pl.Float64)
    both = both.with_columns(rostered=rostered)
    shape = both["strength"].to_numpy()
    judged = judge(
        shape, shape / np.maximum(both["arrivals"].to_numpy(), 1e-9),
        both["rostered"].fill_null(float("nan")).to_numpy(), law,
    )  # fmt: skip
    return both.with_columns(
        p_short=pl.Series(judged.p_short).fill_nan(None),
        judgement=pl.Series(list(judged.judgement), dtype=pl.String),
        lost_low=pl.Series(judged.lost_low).fill_nan(None),
        lost_high=pl.Series(judged.lost_high).fill_nan(None),
    )


def forecast_reaches(session: Session, store: str, day: date) -> bool:
    """Return whether anybody is expected on that *day*, at whatever hour."""
    slot = select(StaffingForecast.slot_at).where(StaffingForecast.store_id == store, StaffingForecast.day == day)
    return session.scalar(slot.limit(1)) is not None


def coming_hours(session: Session, store: str, tz: ZoneInfo, now: datetime) -> list[dict[str, Any]]:
    """Return the hours from the next quarter hour to the day's end: hour, arrivals, needed, rostered and judgement.

    An hour is judged by its worst quarter, whose clerks `needed` and `rostered` are; `rostered` is None, and the
    judgement «unknown», where no shift of the day is known. Without a forecast of the day there are none.
    """
    judged = judged_day(session, staffing_store(session, store), tz, now.astimezone(tz).date())
    if judged is None:
        return []
    gap = pl.col("needed") - pl.col("rostered").fill_null(0.0)
    hours = (
        judged.filter(pl.col("slot_at") > to_micros(now) // SLOT_MICROS * SLOT_MICROS)
        .with_columns(hour=pl.col("slot") // 4, gap=gap)
        .group_by("hour", maintain_order=True)
        .agg(
            pl.col("arrivals").sum(),
            pl.col("needed", "rostered", "p_short").sort_by("gap", "p_short").last(),
            judgement=pl.when((pl.col("judgement") == "short").any())
            .then(pl.lit("short"))
            .when((pl.col("judgement") == "over").all())
            .then(pl.lit("over"))
            .when((pl.col("judgement") == "unknown").any())
            .then(pl.lit("unknown"))
            .otherwise(pl.lit("enough")),
        )
    )
    return hours.to_dicts()
