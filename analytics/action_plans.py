"""Action plans: from a finding to an action in a unit's hands, and what came of it.

The effect of an action is estimated from the record: before against after its start, in its stores against the
comparison stores (analytics.effects), with a placebo check on the time before. An effect is claimed only where the
interval excludes no effect and the placebo's does not.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.effects import Effect, difference_in_differences, placebo
from analytics.kpis import Kpi
from analytics.pain_points import customer_segments
from analytics.period import Period
from journey.actions import ActionPlan
from journey.errors import Conflict, InputError, NotFound
from journey.stores import DEFAULT_TIMEZONE

STATES = {
    "proposed": ("running", "dropped"),
    "running": ("done", "dropped"),
    "done": (),
    "dropped": (),
}
"""What an action can be, and what it can become."""

LOOK_BACK_DAYS = 180
POWER = 0.8
NOT_TOLD = ("effect", "low", "high", "p_value", "placebo", "before", "after", "comparison", "detectable")


def open_action(session: Session, plan: ActionPlan) -> ActionPlan:
    """Put a plan on record as proposed.

    Raises:
        InputError: no owner or unit, an empty KPI, a due date before the start, a store on both sides of the
        comparison, or customers and stores acted upon at once.
    """
    Kpi.named(plan.kpi)
    if not plan.owner.strip() or not plan.unit.strip():
        raise InputError("an action needs an owner and a unit", where=plan.action_id, what_to_do="name who does it")
    if plan.due_on < plan.starts_on:
        raise InputError(f"due {plan.due_on} is before the start {plan.starts_on}", where=plan.action_id)
    both = set(plan.stores or ()) & set(plan.comparison_stores or ())
    if both:
        raise InputError(
            f"{', '.join(sorted(both))} cannot be acted upon and compared with",
            where=plan.action_id,
            what_to_do="name other comparison stores, or none to compare with all others",
        )
    if plan.segment and plan.stores:
        raise InputError(
            "customers and stores cannot both be acted upon",
            where=plan.action_id,
            what_to_do="choose stores, or a segment of customers",
        )
    plan.state = "proposed"
    session.add(plan)
    session.flush()
    return plan


def move_action(session: Session, action_id: str, state: str) -> ActionPlan:
    """Bring an action into another state.

    Raises:
        NotFound: no action has this id.
        Conflict: it cannot get there from where it is.
    """
    plan = session.get(ActionPlan, action_id)
    if plan is None:
        raise NotFound(f"no action {action_id!r}", what_to_do="see the list of actions for the ids")
    allowed = STATES.get(plan.state, ())
    if state not in allowed:
        raise Conflict(
            f"an action that is {plan.state} cannot become {state}",
            where=action_id,
            what_to_do=f"possible: {', '.join(allowed) or 'nothing, it is closed'}",
        )
    plan.state = state
    session.flush()
    return plan


def proposals_from_drivers(drivers: dict[str, Any], today: date, days: int = 90) -> list[dict[str, Any]]:
    """Plans that the priority map calls for: one per touchpoint to improve first, strongest first.

    drivers: the ``drivers`` report. The target is what the touchpoints do on average, the baseline what this one
    does. Owner and unit are left to the people.
    """
    rows = drivers["drivers"]
    if not rows:
        return []
    usual = float(np.mean([row["performance"] for row in rows]))
    return [
        {
            "finding": f"{row['touchpoint']}: {row['lmg']:.2f} of {drivers['kgi']}'s R² {drivers['r2']:.2f},"
            f" score {row['performance']:.0f} against {usual:.0f}",
            "kpi": f"csat:{row['touchpoint']}",
            "baseline": row["performance"],
            "target": usual,
            "starts_on": today,
            "due_on": today + timedelta(days=days),
        }
        for row in sorted(rows, key=lambda row: -row["lmg"])
        if row["field"] == "improve_first"
    ]


def action_effect(
    session: Session, plan: ActionPlan, now: datetime | None = None, timezone: str = DEFAULT_TIMEZONE
) -> dict[str, Any]:
    """What an action changed in its KPI: effect, low, high, p_value, placebo, detectable, verdict, before, after, notes
    and more. ``detectable`` is the smallest effect that the record would show in four of five cases.

    Where the plan names no comparison stores, all others serve in which no other action on the same KPI runs at the
    time. Where it names a segment of customers, these are compared with its other members. Looks from LOOK_BACK_DAYS
    before the start to the due date (or ``now``, if earlier). verdict: improved,
    worsened, no_evidence, apart_before (the placebo failed, so that nothing is claimed), or too_early (too few
    observations yet).
    """
    kpi = Kpi.named(plan.kpi)
    window = Period.of(plan.starts_on - timedelta(days=LOOK_BACK_DAYS), plan.due_on, timezone)
    if now is not None:
        window = Period(window.start, min(window.end or 0, Period.of(None, now).end or 0))
    start = Period.of(plan.starts_on, None, timezone).start
    seen = kpi.observations(session, window)
    acted, compared = set(plan.stores or ()), set(plan.comparison_stores or ())
    if plan.segment:
        chosen = _by_segment(session, plan.segment, seen, window, timezone)
    elif acted:
        chosen = seen.filter(pl.col("unit").is_not_null())
        if compared:
            chosen = chosen.filter(pl.col("unit").is_in(sorted(acted | compared)))
        else:
            busy = _acted_upon_elsewhere(session, plan) - acted
            chosen = chosen.filter(~pl.col("unit").is_in(sorted(busy)))
        chosen = chosen.with_columns(treated=pl.col("unit").is_in(sorted(acted)))
    else:
        # An action of the whole chain is one unit: stores are no comparison for each other.
        chosen = seen.with_columns(unit=pl.lit("chain"), treated=pl.lit(True))
    chosen = chosen.with_columns(after=pl.col("at") >= start)
    effect, before = difference_in_differences(chosen), placebo(chosen)
    return _told(kpi, effect, before)


def _by_segment(session: Session, segment: str, seen: pl.DataFrame, window: Period, timezone: str) -> pl.DataFrame:
    """Observations of known customers with what they are in the segment for a unit; the named one is treated."""
    dimension, _, member = segment.partition(":")
    # What people are is told by the time before the end, not by what the action may have made of them.
    segments = customer_segments(session, Period(None, window.end), timezone).filter(pl.col("segment") == dimension)
    placed = seen.drop("unit").join(segments.select("person", unit="member"), on="person")
    return placed.with_columns(treated=pl.col("unit") == member)


def _acted_upon_elsewhere(session: Session, plan: ActionPlan) -> set[str]:
    """Stores in which another action on the same KPI runs at the time: they are no comparison."""
    others = select(ActionPlan).where(
        ActionPlan.action_id != plan.action_id,
        ActionPlan.kpi == plan.kpi,
        ActionPlan.state != "dropped",
        ActionPlan.starts_on <= plan.due_on,
        ActionPlan.due_on >= plan.starts_on,
    )
    return {store for other in session.scalars(others) for store in other.stores or ()}


def _told(kpi: Kpi, effect: Effect | None, check: Effect | None) -> dict[str, Any]:
    notes: list[str] = []
    if effect is None:
        notes.append(f"Too few observations of {kpi.name} before or after the start to tell an effect.")
        empty = dict.fromkeys(NOT_TOLD)
        return empty | {"effect_unit": kpi.unit, "verdict": "too_early", "notes": notes}
    if effect.kind == "before_after":
        notes.append("Nothing to compare with: whatever else changed at the time is in this figure.")
    elif effect.compared == 1:
        notes.append("One comparison store cannot show how stores drift apart by chance; the interval is too narrow.")
    apart = check is not None and not check.low <= 0 <= check.high
    if check is None:
        notes.append("The time before is too short for a placebo check.")
    if apart:
        notes.append("The stores were moving apart before the start already; no effect is claimed.")
    relative = kpi.unit == "relative"
    shown = [float(np.expm1(v)) if relative else v for v in (effect.value, effect.low, effect.high)]
    levels = [float(np.exp(v)) if relative else v for v in (effect.before, effect.after)]
    better = (effect.high < 0) if kpi.less_is_better else (effect.low > 0)
    worse = (effect.low > 0) if kpi.less_is_better else (effect.high < 0)
    verdict = "apart_before" if apart else "improved" if better else "worsened" if worse else "no_evidence"
    return {
        "effect": shown[0],
        "low": shown[1],
        "high": shown[2],
        "p_value": effect.p_value,
        "effect_unit": kpi.unit,
        "detectable": _detectable(effect, relative=relative),
        "before": levels[0],
        "after": levels[1],
        "comparison": effect.kind,
        "treated": effect.treated,
        "compared": effect.compared,
        "placebo": asdict(check) if check else None,
        "verdict": verdict,
        "notes": notes,
    }


def _detectable(effect: Effect, *, relative: bool) -> float:
    """The smallest true effect that this record would show with a probability of POWER: what is below may be there."""
    half = effect.high - effect.value
    seen = half * (1.0 + float(stats.norm.ppf(POWER)) / float(stats.norm.ppf(0.975)))
    return float(np.expm1(seen)) if relative else seen


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    now: datetime | None = None,
) -> dict[str, Any]:
    """The ``actions`` report: one row per plan, the latest start first, with its effect, verdict and notes.

    ``store`` keeps the plans that act upon that store (or the whole chain), ``start`` and ``end`` those that start in
    between. ``now`` ends what is looked at; without it everything on record counts. A plan without a baseline gets
    the KPI's mean before its start.
    """
    statement = select(ActionPlan).order_by(ActionPlan.starts_on.desc(), ActionPlan.action_id)
    rows, notes = [], list[str]()
    for plan in session.scalars(statement):
        if store is not None and plan.stores and store not in plan.stores:
            continue
        if not _day(start, date.min) <= plan.starts_on <= _day(end, date.max):
            continue
        told = action_effect(session, plan, now, timezone)
        rows.append(
            {
                "action_id": plan.action_id,
                "finding": plan.finding,
                "owner": plan.owner,
                "unit": plan.unit,
                "kpi": plan.kpi,
                "baseline": plan.baseline if plan.baseline is not None else told["before"],
                "target": plan.target,
                "starts_on": plan.starts_on.isoformat(),
                "due_on": plan.due_on.isoformat(),
                "state": plan.state,
                "stores": plan.stores or [],
                "segment": plan.segment,
            }
            | told
        )
    claimed = sum(row["verdict"] in ("improved", "worsened") for row in rows)
    if len(rows) > 1 and claimed:
        notes.append(
            f"{claimed} of {len(rows)} actions show an effect; by chance alone about {0.05 * len(rows):.1f} would."
        )
    if not rows:
        notes.append("No action plans yet; open one from a finding.")
    return {"actions": rows, "notes": notes}


def _day(moment: date | datetime | None, otherwise: date) -> date:
    if moment is None:
        return otherwise
    return moment.date() if isinstance(moment, datetime) else moment
