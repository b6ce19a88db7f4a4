"""Did it work? Randomised arms, sequential looks, policies judged from logs, and who is moved by a proposal."""

from analytics.experiments.assignment import SampleRatio, arm_of, sample_ratio
from analytics.experiments.off_policy import PolicyValue, evaluate_policy
from analytics.experiments.report import campaign_effects, report
from analytics.experiments.sequential import always_valid
from analytics.experiments.thompson import ranking_probabilities
from analytics.experiments.uplift import QiniCurve, UpliftModel, fit_uplift, qini

__all__ = [
    "PolicyValue",
    "QiniCurve",
    "SampleRatio",
    "UpliftModel",
    "always_valid",
    "arm_of",
    "campaign_effects",
    "evaluate_policy",
    "fit_uplift",
    "qini",
    "ranking_probabilities",
    "report",
    "sample_ratio",
]
