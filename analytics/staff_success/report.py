"""The staff report: the same figures for the command, the screens and a notebook."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from analytics.staff_success.focus import focus_first_purchases
from analytics.staff_success.handling import handling
from analytics.staff_success.proposals import home_stores, proposal_cells
from analytics.staff_success.success import MIN_PROPOSALS, StaffSuccess, staff_success


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | None = None,
    end: date | None = None,
    min_proposals: int = MIN_PROPOSALS,
) -> dict[str, Any]:
    """Return the staff report: `clerks` (one row each) and `funnel` (overdispersion, tau2, average).

    Expectations, shrinkage and the top fifth always come from the whole chain; *store* only chooses whose rows are
    shown (clerks who belong to it, or who work there where no master row says so). Rates are on the clerk's own case
    mix: `shrunk_rate` with `low` and `high` estimates the rate behind `rate`, and `expected` is what clerks of this
    chain reach on average with that mix. `standardised_rate` is what the clerk would reach on the mix of the whole
    chain: the one to compare clerks by. Confirmed counts the rows of `confirmations`, which the till's attribution
    window decides (see `journey.confirmations.confirm`).
    """
    success = staff_success(proposal_cells(session, start=start, end=end), min_proposals=min_proposals)
    clerks = _with_home_store(session, success.clerks)
    if store is not None:
        clerks = clerks.filter(pl.col("store_id") == store)
    quality = handling(session, start=start, end=end)
    focus = focus_first_purchases(session, start=start, end=end)
    clerks = clerks.join(quality, on="clerk_id", how="left")
    rows = clerks.with_columns(
        focus_first_purchases=pl.col("clerk_id").replace_strict(dict(focus), default=0, return_dtype=pl.Int64)
    ).to_dicts()
    return {"clerks": rows, "funnel": _funnel_facts(success), "min_proposals": min_proposals}


def _with_home_store(session: Session, clerks: pl.DataFrame) -> pl.DataFrame:
    homes = home_stores(session)
    home = pl.col("clerk_id").replace_strict(homes, default=None, return_dtype=pl.String)
    return clerks.with_columns(store_id=pl.coalesce(home, pl.col("store_id"))).sort("store_id", "clerk_id")


def _funnel_facts(success: StaffSuccess) -> dict[str, Any]:
    funnel = success.funnel
    return {
        "overdispersion": funnel.overdispersion if funnel else 1.0,
        "tau2": funnel.tau2 if funnel else 0.0,
        "average": success.average,
        "ratio": funnel.average if funnel else None,
        "spread": success.spread,
    }
