"""Too few clerks, enough, or too many: per store and quarter hour, with what to do about it."""

from analytics.staffing.judgement import Floor, judge
from analytics.staffing.live import live_board
from analytics.staffing.report import report
from analytics.staffing.rollup import roll_up
from analytics.staffing.shift_plan import LabourRules, ShiftPlan, StaffMember, plan_shifts

__all__ = [
    "Floor",
    "LabourRules",
    "ShiftPlan",
    "StaffMember",
    "judge",
    "live_board",
    "plan_shifts",
    "report",
    "roll_up",
]
