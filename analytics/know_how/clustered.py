"""Logistic regression with an effect per clerk and standard errors clustered by clerk.

A clerk's proposals resemble each other, so that the plain standard error of anything a clerk does habitually is too
small. The effect per clerk takes out his level; the sandwich (Liang and Zeger 1986) takes care of what is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.case_mix.likelihood import MixRows
from analytics.case_mix.posterior import posterior_mode, schur_covariance
from analytics.rates import Floats

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class ClusteredFit:
    """Coefficients of the columns of X and their clustered covariance; *clusters* is how many clerks there are."""

    coefficients: Floats
    covariance: Floats
    clusters: int

    @property
    def standard_errors(self) -> Floats:
        """Return the clustered standard errors."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def fit_clustered(
    X: Floats,
    successes: Floats,
    trials: Floats,
    clerk: Codes,
    *,
    clerk_spread: float = 0.5,
    cluster: Codes | None = None,
) -> ClusteredFit:
    """Fit rows of *successes* out of *trials* on X (rows × columns, the intercept first).

    *clerk_spread* is the standard deviation of the clerks' effects in logits; 2.5 hardly shrinks them, so that only
    comparisons within a clerk count. *cluster* (default: the clerk) is what the errors are clustered by.
    """
    clerks = int(clerk.max()) + 1
    rows = MixRows(X, successes, trials, clerk, np.zeros_like(clerk), clerks, 0)
    a, u, q = posterior_mode(rows, np.zeros(X.shape[1]), np.zeros(clerks), 1.0, clerk_spread)
    bread = schur_covariance(rows, q, clerk_spread)
    residual = successes - trials * special.expit(rows.eta(a, u))
    codes = clerk if cluster is None else cluster
    groups = int(codes.max()) + 1
    # At the mode the clerk's own score is balanced by its prior, so the profile score of a cluster is X'r.
    scores = np.zeros((groups, X.shape[1]))
    np.add.at(scores, codes, X * residual[:, None])
    seen = int(np.unique(codes).size)
    correction = seen / max(seen - 1, 1)
    sandwich = bread @ (scores.T @ scores) @ bread * correction
    # With few clusters the sandwich collapses; the model's own covariance is then the floor.
    weight = 1.0 if seen >= 40 else seen / 40
    floor = np.sqrt(np.maximum(np.diag(bread) / np.maximum(np.diag(sandwich), 1e-300), 1.0)) ** (1 - weight)
    return ClusteredFit(a, sandwich * np.outer(floor, floor), seen)
