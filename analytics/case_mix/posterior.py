"""The posterior of coefficients, stores and clerks for given spreads: mode by Newton steps, width by Laplace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analytics.case_mix.likelihood import MixRows, Quadratic
from analytics.rates import Floats

INTERCEPT_PRECISION = 1 / 2.5**2
COEFFICIENT_PRECISION = 1 / 2.5**2
NEWTON_STEPS = 25


def prior_precision(rows: MixRows, store_spread: float) -> Floats:
    """Return the prior precision of the columns of X and of the stores."""
    columns = np.full(rows.columns, COEFFICIENT_PRECISION)
    columns[0] = INTERCEPT_PRECISION
    return np.concatenate([columns, np.full(rows.stores, store_spread**-2)])


@dataclass(frozen=True)
class Solution:
    """Mode (a, u) of a quadratic with its prior, and what its spread is read off: by the Schur complement."""

    a: Floats
    u: Floats
    log_determinant: float
    reduced: Floats
    own_variance: Floats
    factor: Floats

    def covariance(self) -> Floats:
        """Return Cov(a)."""
        return np.asarray(linalg.cho_solve((self.factor, True), np.eye(self.factor.shape[0])))

    def variance(self) -> Floats:
        """Return Var(u), one per clerk."""
        return np.asarray(self.own_variance + np.sum(self.reduced * (self.covariance() @ self.reduced), axis=0))


def solve(q: Quadratic, prior: Floats, spread: float) -> Solution:
    """Return the mode of the quadratic with precision *prior* on the columns and 1/*spread*² on the clerks."""
    du = q.uu + spread**-2
    reduced = q.au / du
    schur = q.aa + np.diag(prior) - reduced @ q.au.T
    factor = np.asarray(linalg.cholesky(schur, lower=True, check_finite=False))
    a = np.asarray(linalg.cho_solve((factor, True), q.ba - reduced @ q.bu, check_finite=False))
    u = (q.bu - q.au.T @ a) / du
    log_determinant = 2 * float(np.sum(np.log(np.diag(factor)))) + float(np.sum(np.log(du)))
    return Solution(a, u, log_determinant, reduced, 1 / du, factor)


def posterior_mode(
    rows: MixRows, a: Floats, u: Floats, store_spread: float, spread: float
) -> tuple[Floats, Floats, Quadratic]:
    """Return the posterior mode for given spreads, by damped Newton steps."""
    prior = prior_precision(rows, store_spread)

    def objective(a: Floats, u: Floats) -> float:
        penalty = float(prior @ a**2) + float(np.sum(u**2)) / spread**2
        return rows.log_likelihood(a, u) - 0.5 * penalty

    value = objective(a, u)
    for _ in range(NEWTON_STEPS):
        q = rows.quadratic(a, u)
        step = solve(q, prior, spread)
        next_a, next_u = step.a, step.u
        scale = 1.0
        while (
            candidate := objective(a + scale * (next_a - a), u + scale * (next_u - u))
        ) < value - 1e-9 and scale > 1e-4:
            scale /= 2
        a, u = a + scale * (next_a - a), u + scale * (next_u - u)
        gain, value = candidate - value, candidate
        if gain < 1e-7 * (abs(value) + 1):
            break
    return a, u, rows.quadratic(a, u)


def schur_covariance(rows: MixRows, q: Quadratic, spread: float) -> Floats:
    """Return the covariance of the columns (and stores) with the clerks' effects integrated out."""
    return solve(q, prior_precision(rows, 1.0), spread).covariance()
