"""Shift plans: cover, labour rules, and the roster they are compared with."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.staffing import LabourRules, StaffMember, plan_shifts
from analytics.staffing.shift_plan import PlannedShift, ShiftPlan, compare
from journey.errors import InputError

RULES = LabourRules()
OPEN = (36, 84)  # nine in the morning to nine at night


def demand(days: int) -> np.ndarray:
    needed = np.zeros((days, 96), dtype=np.int64)
    needed[:, 36:84] = 1
    needed[:, 48:56] = 2  # lunch
    needed[:, 66:78] = 3  # after work
    return needed


def crew(count: int, days: int, **more: object) -> list[StaffMember]:
    return [StaffMember(f"K{i}", dict.fromkeys(range(days), OPEN), **more) for i in range(count)]  # type: ignore[arg-type]


def assert_lawful(plan: ShiftPlan, staff: list[StaffMember], rules: LabourRules = RULES) -> None:
    for member in staff:
        mine = sorted((s for s in plan.shifts if s.clerk_id == member.clerk_id), key=lambda s: s.day)
        assert len({s.day for s in mine}) == len(mine)
        for shift in mine:
            hours = (shift.end - shift.start) / 4
            first, last = member.available[shift.day]
            assert first <= shift.start < shift.end <= last
            assert rules.shortest_hours <= hours <= rules.longest_hours
            assert len(shift.break_slots) / 4 >= (1.0 if hours > 8 else 0.75 if hours > 6 else 0)
            assert all(shift.start < slot < shift.end - 1 for slot in shift.break_slots)
        for before, after in pairwise(mine):
            assert (after.day - before.day) * 24 + (after.start - before.end) / 4 >= rules.rest_hours
        days = [s.day for s in mine]
        for first_day in range(max(days, default=0) + 1):
            week = [s for s in mine if first_day <= s.day < first_day + 7]
            worked = sum((s.end - s.start - len(s.break_slots)) / 4 for s in week)
            assert worked <= min(member.week_hours, rules.week_hours)
            assert len(week) <= 6


def test_enough_clerks_cover_the_days_within_the_rules() -> None:
    staff = crew(5, 3)
    plan = plan_shifts(demand(3), staff, seconds=20)
    assert_lawful(plan, staff)
    assert plan.short_hours <= 1
    assert plan.over_hours < 0.5 * demand(3).sum() / 4
    assert np.array_equal(plan.planned, compare(demand(3), plan.shifts).planned)


def test_too_few_clerks_leave_a_gap_that_is_said() -> None:
    staff = crew(2, 7, week_hours=20)
    plan = plan_shifts(demand(7), staff, seconds=4)
    assert_lawful(plan, staff)
    assert plan.short_hours >= demand(7).sum() / 4 - 40
    assert "cannot be covered" in plan.notes[0]


def test_availability_and_the_rest_after_the_last_shift() -> None:
    late = StaffMember("K1", {0: OPEN}, last_ended=1.0)  # left at 23:00, so not before ten
    plan = plan_shifts(demand(1), [late], seconds=2)
    assert plan.shifts
    assert all(shift.start >= 40 for shift in plan.shifts)
    assert plan_shifts(demand(1), [StaffMember("K2", {})], seconds=1).shifts == ()
    assert plan_shifts(demand(1), [], seconds=1).short_hours == demand(1).sum() / 4


def test_the_plan_beats_a_flat_roster() -> None:
    staff = crew(6, 5)
    roster = [PlannedShift(f"K{i}", day, 36, 72) for i in range(3) for day in range(5)]
    plan, flat = plan_shifts(demand(5), staff, seconds=5), compare(demand(5), roster)
    assert plan.short_hours < flat.short_hours


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        plan_shifts(np.zeros((7, 24), dtype=np.int64), [])
