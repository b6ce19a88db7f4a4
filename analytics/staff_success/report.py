"""The staff report: the same figures for the command, the screens and a notebook."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from analytics.staff_success.roll_up import NAME, case_mix_or_nothing
from analytics.staff_success.standings import standings
from analytics.staff_success.success import MIN_PROPOSALS
from journey.rollups import last_run


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | None = None,
    end: date | None = None,
    min_proposals: int = MIN_PROPOSALS,
) -> dict[str, Any]:
    """Return the staff report: `clerks` (one row each), `funnel` (overdispersion, tau2, average) and `chain`, the
    counts of all clerks together.

    It adds up what the last roll-up found (`rolled_up_at`; None: never, and then there is nothing to report).
    Expectations, shrinkage and the top fifth always come from the whole chain; *store* only chooses whose rows are
    shown (clerks who belong to it, or who work there where no master row says so). Rates are on the clerk's own case
    mix: `shrunk_rate` with `low` and `high` estimates the rate behind `rate`, and `expected` is what clerks of this
    chain reach on average with that mix; `oe_low` and `oe_high` are the interval over the expectation.
    `standardised_rate` is what the clerk would reach on the mix of the whole chain: the one to compare clerks by.
    Confirmed counts the rows of `confirmations`, which the till's attribution window decides (see
    `journey.confirmations.confirm`).
    """
    found = standings(session, case_mix_or_nothing(session), start, end, store=store, min_proposals=min_proposals)
    run = last_run(session, NAME)
    return {
        "clerks": found.rows,
        "funnel": found.frame["funnel"],
        "chain": found.frame["chain"],
        "min_proposals": min_proposals,
        "rolled_up_at": run.ran_at if run else None,
    }
