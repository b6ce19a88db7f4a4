"""What an average clerk would reach with the same customers and products."""

from analytics.case_mix.design import Design, build_design, level_matrix
from analytics.case_mix.glm import GlmFit, fit_logistic, fit_poisson
from analytics.case_mix.mixed import MixedFit, fit_mixed_logistic

__all__ = [
    "Design",
    "GlmFit",
    "MixedFit",
    "build_design",
    "fit_logistic",
    "fit_mixed_logistic",
    "fit_poisson",
    "level_matrix",
]
