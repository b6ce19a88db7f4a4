"""The know-how report."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from analytics.know_how.encounters import practice_cells
from analytics.know_how.practices import MIN_ODDS_RATIO, practice_odds


def report(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> dict[str, Any]:
    """Return the know-how report: `practices` with odds ratio, 95 % interval, q-value and n, see `practice_odds`.

    `examples` are suggestion ids of accepted proposals with the practice. Without outcomes, or with a practice that
    everybody or nobody uses, there is nothing to compare and the list is empty.
    """
    cells = practice_cells(session, store=store, start=start, end=end)
    return {
        "practices": practice_odds(cells),
        "proposals": int(cells["proposed"].sum()) if cells.height else 0,
        "clerks": cells["clerk_id"].n_unique() if cells.height else 0,
        "min_odds_ratio": MIN_ODDS_RATIO,
    }
