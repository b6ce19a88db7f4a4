"""Who succeeds with proposals, fairly compared; and how well customers are handled."""

from analytics.staff_success.proposals import proposal_cells
from analytics.staff_success.report import report
from analytics.staff_success.roll_up import roll_up
from analytics.staff_success.rows import FIGURES, ProposalRow, proposal_rows
from analytics.staff_success.standings import SPANS, Standings, standings, usual_span
from analytics.staff_success.steps import Step, steps
from analytics.staff_success.strengths import category_strengths
from analytics.staff_success.success import MIN_PROPOSALS, StaffSuccess, staff_success
from analytics.staff_success.trend import clerk_trend, trend_of

__all__ = [
    "FIGURES",
    "MIN_PROPOSALS",
    "SPANS",
    "ProposalRow",
    "StaffSuccess",
    "Standings",
    "Step",
    "category_strengths",
    "clerk_trend",
    "proposal_cells",
    "proposal_rows",
    "report",
    "roll_up",
    "staff_success",
    "standings",
    "steps",
    "trend_of",
    "usual_span",
]
