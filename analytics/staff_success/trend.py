"""One clerk over the weeks: success against the case mix, and the weeks when it changed for good."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from scipy import special
from sqlalchemy.orm import Session

from analytics.change_points import stretches
from analytics.rates import Floats, wilson
from analytics.shrinkage import SkillPosterior
from analytics.staff_success.proposals import MIX_LEVELS, proposal_cells
from analytics.staff_success.success import Proposals, fit_success

FIRST_MONDAY = date(1969, 12, 29)
CELL_KEY = ("clerk_id", "store_id", *MIX_LEVELS, "bucket")


def clerk_trend(
    session: Session, clerk_id: str, *, start: date | None = None, end: date | None = None
) -> dict[str, Any]:
    """Return `weeks` and `changes` of a clerk's success, both empty without proposals.

    A week has its Monday, proposed, accepted, rate with its interval, expected (rate) and oe. A change has its week,
    and the ratio of observed to expected before and after, with intervals.
    """
    cells = proposal_cells(session, start=start, end=end)
    weekly = proposal_cells(session, start=start, end=end, clerk_id=clerk_id, by_week=True)
    if weekly.is_empty() or weekly["proposed"].sum() == 0:
        return {"weeks": [], "changes": []}
    data, posterior, offset = fit_success(cells)
    return trend_from(weekly, cells, data, offset, posterior)


def trend_from(
    weekly: pl.DataFrame, cells: pl.DataFrame, data: Proposals, offset: Floats, posterior: SkillPosterior
) -> dict[str, Any]:
    """Return the trend from one clerk's *weekly* cells and the chain's fit; see `clerk_trend`."""
    chance = special.expit(offset)
    # A clerk of average skill is not the average of clerks; the factor brings the weeks to what the report expects.
    mine = int(np.searchsorted(data.clerk_ids, str(weekly["clerk_id"][0])))
    own = data.clerk == mine
    reached = float(data.proposed[own] @ chance[own])
    chance[own] *= posterior.expected_rates()[mine] * float(data.proposed[own].sum()) / reached
    chance = np.minimum(chance, 0.999)
    reach = cells.with_columns(chance=pl.Series(chance)).select(*CELL_KEY, "chance")
    weeks = (
        weekly.join(reach, on=list(CELL_KEY), how="left", nulls_equal=True)
        .with_columns(pl.col("chance").fill_null(float(np.average(chance, weights=data.proposed + 1e-9))))
        .group_by("week")
        .agg(
            pl.col("proposed", "accepted").sum(),
            due=(pl.col("proposed") * pl.col("chance")).sum(),
            variance=(pl.col("proposed") * pl.col("chance") * (1 - pl.col("chance"))).sum(),
        )
        .sort("week")
    )
    every = pl.DataFrame({"week": range(weeks["week"].min(), weeks["week"].max() + 1)})  # type: ignore[arg-type, operator]
    weeks = every.join(weeks, on="week", how="left").fill_null(0)
    found = stretches(weeks["accepted"].to_numpy(), weeks["due"].to_numpy(), weeks["variance"].to_numpy())
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
        for before, after in pairwise(found)
    ]
    return {"weeks": rows, "changes": changes}
