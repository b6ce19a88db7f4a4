"""Who succeeds with proposals, fairly compared; and how well customers are handled."""

from analytics.staff_success.handling import handling
from analytics.staff_success.proposals import proposal_cells
from analytics.staff_success.report import report
from analytics.staff_success.strengths import category_strengths
from analytics.staff_success.success import MIN_PROPOSALS, StaffSuccess, fit_success, staff_success
from analytics.staff_success.trend import clerk_trend

__all__ = [
    "MIN_PROPOSALS",
    "StaffSuccess",
    "category_strengths",
    "clerk_trend",
    "fit_success",
    "handling",
    "proposal_cells",
    "report",
    "staff_success",
]
