"""What could go wrong and where: pain and gain points, customers on a single thread, what closing a place would risk.

Question: who fares worse than the rest and where, whose tie to us hangs on one touchpoint, and what would be lost where
one closes? See analytics.pain_points and analytics.dependence for the estimates and what would make them wrong.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from analytics import pain_points
from analytics.dependence import closure, met_elsewhere, purchases_by_touchpoint, single_touchpoint
from analytics.period import Period
from journey.stores import DEFAULT_TIMEZONE

MOST_CLOSURES = 200
"""Touchpoints whose closing is worked out: the largest by sales."""


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """Keys points and looks (analytics.pain_points), single_touchpoint and closures (analytics.dependence), notes.

    ``closures``: one row per store, ec and app that sells, the one with most at stake first. ``store`` keeps the
    answers of one store; closures are always told for all of them.
    """
    period = Period.of(start, end, timezone)
    found = pain_points.report(session, store=store, start=start, end=end, timezone=timezone)
    purchases, others = purchases_by_touchpoint(session, period), met_elsewhere(session, period)
    largest = purchases.group_by("touchpoint").agg(pl.col("sales").sum()).sort("sales", "touchpoint", descending=True)
    closures = [closure(purchases, others, place) for place in largest["touchpoint"].head(MOST_CLOSURES)]
    closures.sort(key=lambda row: (-row["at_stake_high"], row["touchpoint"]))
    notes = list(found["notes"])
    if not closures:
        notes.append("No sale belongs to an identified customer; dependence is not known.")
    return found | {
        "single_touchpoint": single_touchpoint(purchases, others),
        "closures": closures,
        "notes": notes,
    }
