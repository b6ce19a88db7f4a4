"""One clerk over the weeks: success against the case mix, and the weeks when it changed for good."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy import special
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.case_mix import OFFSETS, three_points
from analytics.change_points import stretches
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.rates import wilson
from analytics.staff_success.roll_up import case_mix_or_nothing
from analytics.staff_success.standings import Standings, span_of, standings
from journey.clerk_roll_ups import ClerkProposalDay

FIRST_MONDAY = date(1969, 12, 29)
SCHEMA = {"week": WHOLE, "store_id": TEXT, "proposed": WHOLE, "accepted": WHOLE} | dict.fromkeys(OFFSETS, REAL)


def clerk_trend(
    session: Session, clerk_id: str, *, start: date | None = None, end: date | None = None
) -> dict[str, Any]:
    """Return `weeks` and `changes` of a clerk's success, both empty without proposals.

    A week has its Monday, proposed, accepted, rate with its interval, expected (rate) and oe. A change has its week,
    and the ratio of observed to expected before and after, with intervals.
    """
    return trend_of(session, clerk_id, standings(session, case_mix_or_nothing(session), start, end), start, end)


def trend_of(session: Session, clerk_id: str, found: Standings, start: date | None, end: date | None) -> dict[str, Any]:
    """Return the same where the standings of the span are known already."""
    sums = _weekly(session, clerk_id, span_of(start, end))
    if sums.is_empty() or sums["proposed"].sum() == 0:
        return {"weeks": [], "changes": []}
    points, trials = three_points(sums)
    levels = [found.frame["store_levels"].get(store, found.frame["intercept"]) for store in sums["store_id"]]
    chance = special.expit(points + np.array(levels)[:, None]) * found.reach.get(clerk_id, 1.0)
    chance = np.minimum(chance, 0.999)
    due = pl.Series((trials * chance).sum(axis=1))
    variance = pl.Series((trials * chance * (1 - chance)).sum(axis=1))
    by_week = sums.with_columns(due=due, variance=variance).group_by("week")
    weeks = by_week.agg(pl.col("proposed", "accepted", "due", "variance").sum()).sort("week")
    every = pl.DataFrame({"week": range(weeks["week"].min(), weeks["week"].max() + 1)})  # type: ignore[arg-type, operator]
    weeks = every.join(weeks, on="week", how="left").fill_null(0).sort("week")
    parts = stretches(weeks["accepted"].to_numpy(), weeks["due"].to_numpy(), weeks["variance"].to_numpy())
    low, high = wilson(weeks["accepted"].to_numpy(), weeks["proposed"].to_numpy())
    mondays = [FIRST_MONDAY + timedelta(weeks=week) for week in weeks["week"]]
    rows = [
        {
            "week": monday.isoformat(),
            "proposed": row["proposed"],
            "accepted": row["accepted"],
            "rate": row["accepted"] / row["proposed"] if row["proposed"] else None,
            "low": float(a),
            "high": float(b),
            "expected": row["due"] / row["proposed"] if row["proposed"] else None,
            "oe": row["accepted"] / row["due"] if row["due"] else None,
        }
        for monday, row, a, b in zip(mondays, weeks.to_dicts(), low, high, strict=True)
    ]
    changes = [
        {
            "week": mondays[after.start].isoformat(),
            "before": before.ratio,
            "before_low": before.low,
            "before_high": before.high,
            "after": after.ratio,
            "after_low": after.low,
            "after_high": after.high,
        }
        for before, after in pairwise(parts)
    ]
    return {"weeks": rows, "changes": changes}


def _weekly(session: Session, clerk_id: str, span: tuple[int, int]) -> pl.DataFrame:
    """Return a clerk's sums per week and store; 1 January 1970 was a Thursday."""
    week = (ClerkProposalDay.day + 3) // 7
    key = (week, ClerkProposalDay.store_id)
    columns = (func.sum(getattr(ClerkProposalDay, name)) for name in ("proposed", "accepted", *OFFSETS))
    statement = (
        select(*key, *columns)
        .where(ClerkProposalDay.clerk_id == clerk_id, ClerkProposalDay.day.between(*span))
        .group_by(*key)
        .order_by(*key)
    )
    return query_frame(session, statement, SCHEMA)
