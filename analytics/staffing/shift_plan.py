"""A proposal of shifts for the coming days within availability and labour rules, by constraint programming (CP-SAT)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from journey.errors import InputError

Pattern = tuple[int, int, tuple[int, ...]]  # first slot, slot after the last, slots of the break

SLOTS_PER_DAY = 96
SLOT_HOURS = 0.25
SHORT_COST, OVER_COST, START_COST = 100, 12, 3
NOBODY_COST = 250  # an empty floor loses everybody, a second clerk too few only some


@dataclass(frozen=True)
class LabourRules:
    """Hours as in Japan's Labour Standards Act, and what the shop adds.

    A shift longer than *break_after* hours holds *break_hours* off the floor (six hours → 45 min, eight → 60 min),
    *rest_hours* lie between two shifts (勤務間インターバル), *day_off_in* days always hold one without a shift.
    """

    shortest_hours: float = 4.0
    longest_hours: float = 9.0
    week_hours: float = 40.0
    rest_hours: float = 11.0
    day_off_in: int = 7
    break_after: tuple[tuple[float, float], ...] = ((6.0, 0.75), (8.0, 1.0))
    start_every_slots: int = 4


DEFAULT_RULES = LabourRules()


@dataclass(frozen=True)
class StaffMember:
    """Who can be planned: *available* days × (first, past-the-last slot of the day), or absent where not at all."""

    clerk_id: str
    available: Mapping[int, tuple[int, int]]
    week_hours: float = 40.0
    last_ended: float | None = None  # hours before the first day's midnight, of the shift before the plan


@dataclass(frozen=True)
class PlannedShift:
    """A shift of *clerk_id* on *day* from slot *start* to *end*, off the floor in the slots *break_slots*."""

    clerk_id: str
    day: int
    start: int
    end: int
    break_slots: tuple[int, ...] = ()


@dataclass(frozen=True)
class ShiftPlan:
    """The plan: *shifts*, *planned* clerks on the floor (days × slots), and what is short and over in clerk hours."""

    shifts: tuple[PlannedShift, ...]
    planned: NDArray[np.int64]
    short_hours: float
    over_hours: float
    optimal: bool
    notes: tuple[str, ...] = field(default=())


def break_slots(hours: float, rules: LabourRules) -> int:
    """Return how many slots of a shift of that length are break."""
    owed = max((rest for longer_than, rest in rules.break_after if hours > longer_than), default=0.0)
    return round(owed / SLOT_HOURS)


def pattern_breaks(slots: Sequence[int]) -> tuple[int, int]:
    """Return the break of a shift as first slot and slot after the last."""
    return min(slots), max(slots) + 1


def patterns(rules: LabourRules, first: int, last: int) -> list[Pattern]:
    """Return all shifts inside slots *first*…*last*: start, end and break slots, the break early, middle or late."""
    step = rules.start_every_slots
    found: list[Pattern] = []
    shortest, longest = round(rules.shortest_hours / SLOT_HOURS), round(rules.longest_hours / SLOT_HOURS)
    for start in range(-(-first // step) * step, last, step):
        for length in range(shortest, longest + 1, step):
            end = start + length
            if end > last:
                break
            pause = break_slots(length * SLOT_HOURS, rules)
            if not pause:
                found.append((start, end, ()))
                continue
            middle = start + (length - pause) // 2
            found += [(start, end, tuple(range(at, at + pause))) for at in (middle - 4, middle, middle + 4)]
    return found


def plan_shifts(
    needed: NDArray[np.int64],
    staff: Sequence[StaffMember],
    rules: LabourRules = DEFAULT_RULES,
    *,
    seconds: float = 20.0,
    seed: int = 1,
    found_one: Callable[[int, float], None] | None = None,
) -> ShiftPlan:
    """Return shifts that cover *needed* clerks (days × 96 slots) as well as the *staff* and the *rules* allow.

    A missing clerk weighs far more than an idle one; with equal cover, fewer shifts are better. What cannot be covered
    stays short and is said, the rules are never broken. The best plan found within *seconds* is returned, `optimal`
    tells whether it is proven; a store of ten clerks and a week wants about that long on two cores. *found_one* is
    called with each better plan's number and the seconds it took. Raises InputError where *needed* is not days × 96.
    """
    if needed.ndim != 2 or needed.shape[1] != SLOTS_PER_DAY:
        raise InputError(f"needed has shape {needed.shape}", where="plan_shifts", what_to_do="give days × 96 slots")
    days = needed.shape[0]
    model = cp_model.CpModel()
    cover: list[list[list[cp_model.IntVar]]] = [[[] for _ in range(SLOTS_PER_DAY)] for _ in range(days)]
    choices: list[tuple[StaffMember, int, Pattern, cp_model.IntVar]] = []
    for member in staff:
        mine: list[tuple[int, Pattern, cp_model.IntVar]] = []
        for day, (first, last) in sorted(member.available.items()):
            if not 0 <= day < days:
                continue
            options = [
                (pattern, model.new_bool_var(f"{member.clerk_id}/{day}/{pattern[0]}-{pattern[1]}/{index}"))
                for index, pattern in enumerate(patterns(rules, first, last))
                if _rested(member, day, pattern[0], rules)
            ]
            if not options:
                continue
            model.add_at_most_one(variable for _, variable in options)
            mine += [(day, pattern, variable) for pattern, variable in options]
            for (start, end, pause), variable in options:
                for slot in range(start, end):
                    if slot not in pause:
                        cover[day][slot].append(variable)
        _labour_rules(model, member, mine, days, rules)
        choices += [(member, day, pattern, variable) for day, pattern, variable in mine]
    cost: list[cp_model.LinearExprT] = []
    for day in range(days):
        for slot in range(SLOTS_PER_DAY):
            want, there = int(needed[day, slot]), cover[day][slot]
            if want == 0 and not there:
                continue
            short = model.new_int_var(0, max(want, 0), f"short/{day}/{slot}")
            over = model.new_int_var(0, len(staff), f"over/{day}/{slot}")
            model.add(sum(there) + short - over == want)
            cost += [SHORT_COST * short, OVER_COST * over]
            if want > 0 and there:
                nobody = model.new_bool_var(f"nobody/{day}/{slot}")
                model.add(sum(there) + nobody >= 1)
                cost.append(NOBODY_COST * nobody)
    cost += [START_COST * variable for _, _, _, variable in choices]
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = seed
    status = solver.solve(model, None if found_one is None else _Watcher(found_one))
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    chosen = tuple(
        PlannedShift(member.clerk_id, day, *pattern)
        for member, day, pattern, variable in choices
        if found and solver.value(variable)
    )
    return compare(needed, chosen, optimal=status == cp_model.OPTIMAL)


class _Watcher(cp_model.CpSolverSolutionCallback):
    """Tells of each better plan while the solver goes on."""

    def __init__(self, tell: Callable[[int, float], None]) -> None:
        super().__init__()
        self.tell, self.count = tell, 0

    def on_solution_callback(self) -> None:
        """Called by the solver."""
        self.count += 1
        self.tell(self.count, self.wall_time)


def compare(needed: NDArray[np.int64], shifts: Sequence[PlannedShift], *, optimal: bool = False) -> ShiftPlan:
    """Return *shifts* (planned, or those of a roster) measured against *needed* clerks per slot."""
    planned = np.zeros_like(needed)
    for shift in shifts:
        planned[shift.day, shift.start : shift.end] += 1
        planned[shift.day, list(shift.break_slots)] -= 1
    gap = needed - planned
    short, over = float(gap.clip(0).sum()) * SLOT_HOURS, float((-gap).clip(0).sum()) * SLOT_HOURS
    notes = (f"{short:g} clerk hours cannot be covered by these clerks within the rules",) if short else ()
    return ShiftPlan(tuple(shifts), planned, short, over, optimal, notes)


def _rested(member: StaffMember, day: int, start: int, rules: LabourRules) -> bool:
    if member.last_ended is None:
        return True
    return member.last_ended + day * 24 + start * SLOT_HOURS >= rules.rest_hours


def _labour_rules(
    model: cp_model.CpModel,
    member: StaffMember,
    mine: Sequence[tuple[int, Pattern, cp_model.IntVar]],
    days: int,
    rules: LabourRules,
) -> None:
    """Limit hours in any seven days, keep the rest between shifts, leave one day off in so many."""
    worked = {
        day: sum((p[1] - p[0] - len(p[2])) * variable for d, p, variable in mine if d == day) for day in range(days)
    }
    limit = round(min(member.week_hours, rules.week_hours) / SLOT_HOURS)
    for first in range(max(1, days - 6)):
        model.add(sum(worked[day] for day in range(first, min(first + 7, days))) <= limit)
    for first in range(max(0, days - rules.day_off_in + 1)):
        window = range(first, first + rules.day_off_in)
        model.add(sum(variable for day, _, variable in mine if day in window) <= rules.day_off_in - 1)
    rest = round(rules.rest_hours / SLOT_HOURS)
    for day in range(days - 1):
        tonight = [(p, variable) for d, p, variable in mine if d == day]
        tomorrow = [(p, variable) for d, p, variable in mine if d == day + 1]
        # By the hour of ending: whoever ends at or after an hour cannot start before that hour plus the rest.
        for end in sorted({p[1] for p, _ in tonight}):
            earliest = end + rest - SLOTS_PER_DAY
            late = [variable for p, variable in tonight if p[1] >= end]
            early = [variable for p, variable in tomorrow if p[0] < earliest]
            if late and early:
                model.add(sum(late) + sum(early) <= 1)
