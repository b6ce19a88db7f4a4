"""One store assessed: its past quarter hours judged, the coming ones forecast, and how good the forecast has been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.forecast import Accuracy, ArrivalModel
from analytics.forecast.model import slot_matrix
from analytics.queues import ServiceTarget, servable_rates
from analytics.rates import Floats
from analytics.staffing.arrivals import SLOT_MINUTES
from analytics.staffing.judgement import judge, nobody_needed, rate_posterior
from analytics.staffing.service_times import ServiceLaw
from journey.database import to_micros
from journey.local_days import day_bounds

SLOT = timedelta(minutes=SLOT_MINUTES)
LEAST_DAYS = 3  # with arrivals, before the coming days are forecast: what happened once is no forecast
JUDGED = (
    "store_id", "day", "slot", "slot_at", "starts_at", "source", "arrivals", "receipts", "identified", "rostered",
)  # fmt: skip


@dataclass(frozen=True)
class DaySlots:
    """The quarter hours of some days as a clock in the store shows them: 92 where it is set forward, 100 back."""

    at: list[datetime]
    day: list[date]
    slot: list[int]


def day_slots(days: list[date], tz: ZoneInfo, open_slots: set[int]) -> DaySlots:
    """Return the quarter hours of *days* in the zone *tz* that lie in *open_slots* (0–95)."""
    found = DaySlots([], [], [])
    for day in days:
        moment, end = day_bounds(day, tz)
        while moment < end:
            local = moment.astimezone(tz)
            slot = local.hour * 4 + local.minute // SLOT_MINUTES
            if slot in open_slots:
                found.at.append(moment)
                found.day.append(day)
                found.slot.append(slot)
            moment += SLOT
    return found


def local_slots(came: pl.DataFrame, floor: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Return the slots of one store with arrivals, receipts, rostered, and day, slot, starts_at on its own clock.

    Where arrivals are read off receipts or scans, a slot with clerks and without them is one without arrivals; a
    counter that says nothing says nothing. `rostered` is null where the store has no shifts at all.
    """
    inferred = came["source"][0] != "counter"
    both = came.join(floor.drop("store_id"), on="slot_at", how="full" if inferred else "left", coalesce=True).sort(
        "slot_at"
    )
    rostered = pl.col("rostered").fill_null(0.0) if not floor.is_empty() else pl.lit(None, dtype=pl.Float64)
    return on_the_wall(
        both.with_columns(
            store_id=pl.lit(came["store_id"][0]),
            source=pl.lit(came["source"][0]),
            arrivals=pl.col("entered").fill_null(0.0),
            receipts=pl.col("receipts").fill_null(0),
            identified=pl.col("identified").fill_null(0),
            rostered=rostered,
        ),
        timezone,
    )


def on_the_wall(frame: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Return *frame* (slot_at in microseconds) with day, slot and starts_at on the store's own clock."""
    local = pl.from_epoch("slot_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)
    return (
        frame.with_columns(local=local)
        .with_columns(
            day=pl.col("local").dt.date(),
            slot=(pl.col("local").dt.hour().cast(pl.Int64) * 4 + pl.col("local").dt.minute() // SLOT_MINUTES),
            starts_at=pl.col("local").dt.strftime("%Y-%m-%dT%H:%M:%S%:z"),
        )
        .drop("local")
    )


def judged_slots(frame: pl.DataFrame, model: ArrivalModel, law: ServiceLaw, target: ServiceTarget) -> pl.DataFrame:
    """Return *frame* with needed, p_short, p_over, judgement and what was lost."""
    days, _ = slot_matrix(frame)
    expected = model.expect(days)
    row = (frame["day"] - days[0]).dt.total_days().to_numpy()
    usual = expected[row, frame["slot"].to_numpy()]
    shape, rate = rate_posterior(frame["arrivals"].to_numpy(), usual, model.strength(usual))
    rostered = frame["rostered"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    floor = judge(shape, rate, rostered, law, minutes=SLOT_MINUTES, target=target)
    value = law.proposals * law.accepted * law.price
    return frame.select(JUDGED).with_columns(
        expected=pl.Series(shape / rate),
        needed=pl.Series(floor.needed),
        p_short=_nullable(floor.p_short),
        p_over=_nullable(floor.p_over),
        judgement=pl.Series(list(floor.judgement), dtype=pl.String),
        lost_proposals_low=_nullable(floor.lost_low * law.proposals),
        lost_proposals_high=_nullable(floor.lost_high * law.proposals),
        lost_sales_low=_nullable(floor.lost_low * value),
        lost_sales_high=_nullable(floor.lost_high * value),
    )


def days_ahead(matrix: Floats, wanted: int) -> int:
    """Return how many days can be forecast from arrivals of days × slots: none before a few days of them are known."""
    return wanted if int((np.nansum(matrix, axis=1) > 0).sum()) >= LEAST_DAYS else 0


def forecast_slots(
    store: str, last: date, model: ArrivalModel, law: ServiceLaw, target: ServiceTarget, tz: ZoneInfo, ahead: int
) -> pl.DataFrame:
    """Return the *ahead* days after *last*: arrivals expected, their 95 % interval, strength, and clerks needed."""
    days = [last + timedelta(days=d + 1) for d in range(ahead)]
    coming = day_slots(days, tz, set(np.flatnonzero(model.profile.sum(axis=0) > 0).tolist()))
    row = np.array([(day - last).days - 1 for day in coming.day], dtype=np.intp)
    slot = np.array(coming.slot, dtype=np.intp)
    expected = model.expect(days)[row, slot] if days else np.empty(0)
    return pl.DataFrame(
        {
            "store_id": [store] * len(coming.at),
            "slot_at": [to_micros(at) for at in coming.at],
            "day": coming.day,
            "slot": coming.slot,
            "starts_at": [at.astimezone(tz).isoformat() for at in coming.at],
            "arrivals": expected,
            "low": model.quantile(expected, 0.025),
            "high": model.quantile(expected, 0.975),
            "strength": model.strength(expected),
            "needed": needed_clerks(expected, law, target),
        },
        schema_overrides={
            "store_id": pl.String,
            "day": pl.Date,
            "slot": pl.Int64,
            "slot_at": pl.Int64,
            "starts_at": pl.String,
        },
    )


def needed_clerks(expected: Floats, law: ServiceLaw, target: ServiceTarget) -> NDArray[np.intp]:
    """Return the clerks that attend to so many *expected* arrivals per quarter hour within the target."""
    seconds = SLOT_MINUTES * 60
    most = int(np.ceil(float(expected.max(initial=0.0)) * law.share * law.seconds / seconds * 2 + 6))
    table = servable_rates(most, law.seconds, target, service_cv2=law.cv2)
    load = expected * law.share
    needed = np.searchsorted(table, load / seconds - 1e-15)
    return np.asarray(np.where(nobody_needed(expected, law), 0, needed), dtype=np.intp)


def accuracy_facts(store: str, checked: Accuracy) -> dict[str, object]:
    """Return the accuracy of a store's forecast as the report shows it."""
    return {
        "store_id": store,
        "n": checked.n,
        "wape": checked.wape,
        "naive_wape": checked.naive_wape,
        "pinball": {str(p): v for p, v in checked.pinball.items()},
        "coverage": checked.coverage,
    }


def _nullable(values: Floats) -> pl.Series:
    return pl.Series(values).fill_nan(None)
