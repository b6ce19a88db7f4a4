"""What an average clerk would reach with the same customers and products."""

from analytics.case_mix.design import Design, build_design
from analytics.case_mix.glm import GlmFit, fit_logistic, fit_poisson
from analytics.case_mix.mixed import Levels, MixedFit, fit_levels, fit_mixed_logistic, slope_variance, within_clerks
from analytics.case_mix.model import CaseMix
from analytics.case_mix.power_sums import OFFSETS, three_points, with_power_sums

__all__ = [
    "OFFSETS",
    "CaseMix",
    "Design",
    "GlmFit",
    "Levels",
    "MixedFit",
    "build_design",
    "fit_levels",
    "fit_logistic",
    "fit_mixed_logistic",
    "fit_poisson",
    "slope_variance",
    "three_points",
    "with_power_sums",
    "within_clerks",
]
