"""Estimates for many small groups at once: each group borrows strength from the others."""

from analytics.shrinkage.beta_binomial import shrink_rates
from analytics.shrinkage.gamma_poisson import shrink_ratios
from analytics.shrinkage.james_stein import james_stein_arcsine
from analytics.shrinkage.logistic_normal import SkillPosterior, fit_skills
from analytics.shrinkage.mixtures import Shrunk

__all__ = [
    "Shrunk",
    "SkillPosterior",
    "fit_skills",
    "james_stein_arcsine",
    "shrink_rates",
    "shrink_ratios",
]
