"""A proposal of shifts for a store's coming days, and what it changes against the roster.

Question: who should work when, so that customers are attended to in time? Estimate: the plan with the fewest missing,
then idle clerk hours that the solver finds in its time. Wrong if: the forecast misses (its interval is shown), or
clerks cannot work when their entries or habits say they can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analytics.staffing.planning import (
    Demand,
    Outlook,
    demand,
    habits,
    last_ends,
    outlook,
    paid_hours,
    rostered_slots,
    rules_of,
    shift_segments,
    staff_for,
    usual_register,
)
from analytics.staffing.rolled_up import coming_slots, law_of
from analytics.staffing.service_times import ServiceLaw
from analytics.staffing.shift_plan import SLOTS_PER_DAY, LabourRules, ShiftPlan, StaffMember, plan_shifts
from journey.availability import clerk_terms, store_rules
from journey.errors import NotEnoughData
from journey.local_days import day_bounds
from journey.staffing_slots import staffing_store

PLAN_SECONDS = 45.0
PLAN_DAYS = 14


@dataclass(frozen=True)
class PlanInputs:
    """All that a plan is computed from; read in one go, so that no connection is held while the solver works."""

    store_id: str
    first_day: date
    days: int
    wanted: Demand
    law: ServiceLaw
    staff: Sequence[StaffMember]
    names: dict[str, str]
    guessed: tuple[str, ...]  # clerks whose times were taken from what they usually worked
    rules: LabourRules
    hour_cost: float | None
    roster: NDArray[np.int64]
    roster_hours: float
    roster_from: date | None


def plan_inputs(
    session: Session, store_id: str, *, first_day: date, days: int, tz: ZoneInfo, today: date
) -> PlanInputs:
    """Read what a plan of a store needs.

    Raises:
        NotEnoughData: no forecast for these days, or nobody who could be planned.
    """
    state = staffing_store(session, store_id)
    if state is None:
        raise NotEnoughData("no forecast", where=store_id, what_to_do="run: osusume rollup", problem="no-forecast")
    begins = day_bounds(first_day, tz)[0]
    kept = store_rules(session, store_id)
    rules = rules_of(kept)
    wanted = demand(coming_slots(session, store_id), first_day, days, usual_register(session, store_id, begins))
    if not wanted.open.any():
        raise NotEnoughData(
            "the forecast does not reach these days", where=store_id, what_to_do="run: osusume rollup",
            problem="no-forecast",
        )  # fmt: skip
    terms = clerk_terms(session, store_id, today=today, week_hours=rules.week_hours)
    usual = habits(session, store_id, tz, today)
    staff = staff_for(terms, usual, last_ends(session, store_id, begins), first_day, days)
    if not staff:
        raise NotEnoughData(
            "nobody can be planned", where=store_id, what_to_do="enter when clerks can work", problem="nobody"
        )
    roster, hours, since = rostered_slots(session, store_id, tz, first_day, days)
    planned = {one.clerk_id for one in staff}
    return PlanInputs(
        store_id, first_day, days, wanted, law_of(state), staff, {one.clerk_id: one.name for one in terms},
        tuple(one.name for one in terms if one.clerk_id in planned and not one.told), rules,
        kept.hour_cost if kept else None, roster, hours, since,
    )  # fmt: skip


def propose(
    given: PlanInputs, *, seconds: float = PLAN_SECONDS, found_one: Callable[[int, float], None] | None = None
) -> dict[str, Any]:
    """Return the plan as a document: shifts, clerks per slot, and before and after (see `Outlook`), with costs.

    Holds no database connection; takes up to *seconds*.
    """
    plan = plan_shifts(given.wanted.needed, given.staff, given.rules, seconds=seconds, found_one=found_one)
    # whoever is alone serves and works the till
    floor = np.maximum(plan.planned - given.wanted.register, np.minimum(plan.planned, 1))
    after = outlook(floor, paid_hours(plan.shifts), given.wanted, given.law)
    before = outlook(given.roster, given.roster_hours, given.wanted, given.law) if given.roster_from else None
    return {
        "store_id": given.store_id,
        "first_day": given.first_day.isoformat(),
        "days": given.days,
        "shifts": shift_rows(plan, given),
        "needed": given.wanted.needed.tolist(),
        "planned": plan.planned.tolist(),
        "expected": given.wanted.expected.round(3).tolist(),
        "register": given.wanted.register,
        "gaps": gaps(plan, given),
        "before": _facts(before, given.hour_cost),
        "after": _facts(after, given.hour_cost),
        "roster_from": given.roster_from.isoformat() if given.roster_from else None,
        "optimal": plan.optimal,
        "guessed": list(given.guessed),
        "rules": {name: value for name, value in asdict(given.rules).items() if isinstance(value, int | float)},
    }


def shift_rows(plan: ShiftPlan, given: PlanInputs) -> list[dict[str, Any]]:
    """Return the shifts as rows: clerk_id, name, day, start and end (slots), and segments (first, last, duty)."""
    return [
        {
            "clerk_id": shift.clerk_id,
            "name": given.names.get(shift.clerk_id, shift.clerk_id),
            "day": (given.first_day + timedelta(days=shift.day)).isoformat(),
            "start": shift.start,
            "end": shift.end,
            "segments": [list(segment) for segment in shift_segments(shift)],
        }
        for shift in sorted(plan.shifts, key=lambda one: (one.day, one.start, one.clerk_id))
    ]


def gaps(plan: ShiftPlan, given: PlanInputs) -> list[dict[str, Any]]:
    """Return the stretches that stay short, the longest first: day, first and last slot, clerks missing at most."""
    found = []
    missing = (given.wanted.needed - plan.planned).clip(0)
    for day in range(given.days):
        first = None
        for slot in range(SLOTS_PER_DAY + 1):
            short = slot < SLOTS_PER_DAY and missing[day, slot] > 0
            if short and first is None:
                first = slot
            elif not short and first is not None:
                most = int(missing[day, first:slot].max())
                day_of = (given.first_day + timedelta(days=day)).isoformat()
                found.append({"day": day_of, "first": first, "last": slot, "missing": most})
                first = None
    return sorted(found, key=lambda gap: (gap["first"] - gap["last"], gap["day"], gap["first"]))


def _facts(found: Outlook | None, hour_cost: float | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return asdict(found) | {"cost": None if hour_cost is None else found.clerk_hours * hour_cost}
