"""What a store's plan is made from: clerks needed, who can work when, the rules, and the roster it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.rates import Floats
from analytics.staffing.judgement import judge
from analytics.staffing.roster import on_floor, shifts_in
from analytics.staffing.service_times import ServiceLaw
from analytics.staffing.shift_plan import SLOTS_PER_DAY, LabourRules, PlannedShift, StaffMember, pattern_breaks
from journey.availability import StoreRules, Terms
from journey.database import to_micros
from journey.local_days import day_bounds
from journey.rosters import Shift

HABIT_WEEKS = 8  # what a clerk worked in these weeks tells when they can, where nobody said
SERVING = ("floor", "register")
ANYBODY = 0.25  # arrivals per quarter hour from which on somebody has to be there


@dataclass(frozen=True)
class Demand:
    """Clerks *needed* per day and slot, the *register* ones included, with the forecast behind them (days × 96)."""

    needed: NDArray[np.int64]
    expected: Floats
    strength: Floats
    register: int

    @property
    def open(self) -> NDArray[np.bool_]:
        """Return the slots in which anybody is expected."""
        return self.expected > 0


@dataclass(frozen=True)
class Outlook:
    """What clerks on duty achieve: clerk hours *short* and *over*, hours *paid*, and services lost as low and high."""

    short_hours: float
    over_hours: float
    clerk_hours: float
    lost_proposals_low: float
    lost_proposals_high: float


def demand(coming: pl.DataFrame, first_day: date, days: int, register: int) -> Demand:
    """Return the demand of *days* from a store's forecast (see `rolled_up.coming_slots`); days beyond it are empty.

    *register* clerks are added wherever somebody is expected: they serve nobody on the floor.
    """
    needed = np.zeros((days, SLOTS_PER_DAY), dtype=np.int64)
    expected, strength = np.zeros(needed.shape), np.ones(needed.shape)
    for row in coming.iter_rows(named=True):
        day = (row["day"] - first_day).days
        if 0 <= day < days and row["arrivals"] >= ANYBODY:
            needed[day, row["slot"]] = row["needed"] + register
            expected[day, row["slot"]], strength[day, row["slot"]] = row["arrivals"], row["strength"]
    return Demand(needed, expected, strength, register)


def usual_register(session: Session, store: str, until: datetime) -> int:
    """Return how many clerks usually stand at the register at once, by the roster of the last four weeks."""
    period = Period(to_micros(until - timedelta(weeks=4)), to_micros(until))
    duty = shifts_in(session, period, store)
    at_till = on_floor(duty.filter(pl.col("duty") == "register").with_columns(duty=pl.lit("floor")))
    anybody = on_floor(duty.with_columns(duty=pl.when(pl.col("duty") != "break").then(pl.lit("floor"))))
    if at_till.is_empty() or anybody.is_empty():
        return 0
    return round(float(at_till["rostered"].sum()) / anybody.filter(pl.col("rostered") > 0).height)


def rules_of(kept: StoreRules | None) -> LabourRules:
    """Return the rules that a manager set, else those of the law."""
    if kept is None:
        return LabourRules()
    return replace(
        LabourRules(),
        shortest_hours=kept.shortest_hours,
        longest_hours=kept.longest_hours,
        week_hours=kept.week_hours,
        rest_hours=kept.rest_hours,
        day_off_in=kept.day_off_in,
    )


def habits(session: Session, store: str, tz: ZoneInfo, today: date) -> dict[str, dict[int, tuple[int, int]]]:
    """Return, per clerk and weekday, from which to before which slot they worked at the widest in the last weeks."""
    start = day_bounds(today - timedelta(weeks=HABIT_WEEKS), tz)[0]
    rows = session.execute(
        select(Shift.clerk_id, Shift.starts_at, Shift.ends_at)
        .where(Shift.store_id == store, Shift.starts_at >= start, Shift.starts_at < day_bounds(today, tz)[0])
        .order_by(Shift.starts_at)
    )
    found: dict[str, dict[int, tuple[int, int]]] = {}
    for clerk, starts_at, ends_at in rows:
        begins, ends = starts_at.astimezone(tz), ends_at.astimezone(tz)
        first = begins.hour * 4 + begins.minute // 15
        last = ends.hour * 4 + -(-ends.minute // 15) if ends.date() == begins.date() else SLOTS_PER_DAY
        mine = found.setdefault(clerk, {})
        known = mine.get(begins.weekday(), (first, last))
        mine[begins.weekday()] = (min(known[0], first), max(known[1], last))
    return found


def staff_for(
    terms: Sequence[Terms],
    usual: dict[str, dict[int, tuple[int, int]]],
    last_ends: dict[str, float],
    first_day: date,
    days: int,
) -> list[StaffMember]:
    """Return who can be planned: by what a manager said, else by what they usually worked; days asked off are free."""
    staff = []
    for one in terms:
        hours = one.hours if one.told else usual.get(one.clerk_id, {})
        available = {}
        for number in range(days):
            day = first_day + timedelta(days=number)
            if day.weekday() in hours and day not in one.days_off:
                available[number] = hours[day.weekday()]
        if one.plannable and available:
            staff.append(StaffMember(one.clerk_id, available, one.week_hours, last_ends.get(one.clerk_id)))
    return staff


def last_ends(session: Session, store: str, first_moment: datetime) -> dict[str, float]:
    """Return, per clerk, how many hours before *first_moment* their last shift ends (not more than a day before)."""
    rows = session.execute(
        select(Shift.clerk_id, func.max(Shift.ends_at))
        .where(Shift.store_id == store, Shift.starts_at >= first_moment - timedelta(days=1))
        .where(Shift.starts_at < first_moment)
        .group_by(Shift.clerk_id)
    )
    return {clerk: (first_moment - ends).total_seconds() / 3600 for clerk, ends in rows if ends is not None}


def rostered_slots(
    session: Session, store: str, tz: ZoneInfo, first_day: date, days: int
) -> tuple[NDArray[np.int64], float, date | None]:
    """Return clerks on the floor per day and slot by the roster, hours paid for serving, and from when it is.

    Hours are those on the floor and at the register. Where no shifts are planned for these days yet, the roster of the
    same weekdays some weeks earlier is taken; None where there is none either.
    """
    first = _rostered_from(session, store, tz, first_day, days)
    if first is None:
        return np.zeros((days, SLOTS_PER_DAY), dtype=np.int64), 0.0, None
    begins, ends = (to_micros(at) for at in day_bounds(first, tz, days))
    duty = shifts_in(session, Period(begins, ends), store)
    zoned = pl.from_epoch("slot_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(str(tz))
    planned = np.zeros((days, SLOTS_PER_DAY), dtype=np.int64)
    for at, count in on_floor(duty).select(zoned, "rostered").iter_rows():
        day, slot = (at.date() - first).days, at.hour * 4 + at.minute // 15
        if 0 <= day < days:
            planned[day, slot] = max(planned[day, slot], int(count + 1e-6))
    paid = duty.filter(pl.col("duty").is_in(SERVING))
    return planned, float((paid["ends_at"] - paid["starts_at"]).sum()) / 3_600_000_000, first


def _rostered_from(session: Session, store: str, tz: ZoneInfo, first_day: date, days: int) -> date | None:
    """Return the first day of the latest roster of the same weekdays that is whole."""
    starts = [first_day - timedelta(weeks=back) for back in range(6)]
    begins = day_bounds(starts[-1], tz)[0]
    known = session.scalars(select(Shift.starts_at).where(Shift.store_id == store, Shift.starts_at >= begins))
    worked = {at.astimezone(tz).date() for at in known}
    spans = [(sum(first + timedelta(days=n) in worked for n in range(days)), first) for first in starts]
    most = max(count for count, _ in spans)
    return next(first for count, first in spans if count == most) if most else None


def outlook(floor: NDArray[np.int64], hours: float, wanted: Demand, law: ServiceLaw) -> Outlook:
    """Return what clerks on the *floor* (days × 96; those at the register left out) achieve against the demand.

    *hours* are those paid for serving.
    """
    opened = wanted.open
    gap = np.where(opened, wanted.needed - wanted.register, 0) - floor
    if not opened.any():
        return Outlook(0.0, float(floor.sum()) / 4, hours, 0.0, 0.0)
    shape = wanted.strength[opened]
    judged = judge(shape, shape / wanted.expected[opened], floor[opened].astype(np.float64), law)
    low, high = (float(lost.sum() * law.proposals) for lost in (judged.lost_low, judged.lost_high))
    return Outlook(float(gap.clip(0).sum()) / 4, float((-gap).clip(0).sum()) / 4, hours, low, high)


def paid_hours(shifts: Sequence[PlannedShift]) -> float:
    """Return the hours of *shifts* without their breaks."""
    return sum((shift.end - shift.start - len(shift.break_slots)) / 4 for shift in shifts)


def shift_segments(shift: PlannedShift) -> list[tuple[int, int, str]]:
    """Return a planned shift as (first slot, slot after the last, duty): the floor, and its break."""
    if not shift.break_slots:
        return [(shift.start, shift.end, "floor")]
    first, last = pattern_breaks(shift.break_slots)
    return [(shift.start, first, "floor"), (first, last, "break"), (last, shift.end, "floor")]
