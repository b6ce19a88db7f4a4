"""Generalised linear models by iteratively reweighted least squares (McCullagh and Nelder 1989, section 2.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.rates import Floats, as_floats
from journey.errors import InputError

MAX_ITERATIONS = 100
TOLERANCE = 1e-10
# Beyond 30 on the logit or log scale a fitted value is 0, 1 or overflow: the data separate perfectly.
ETA_BOUND = 30.0


@dataclass(frozen=True)
class GlmFit:
    """A fitted model: one entry per column of X in *coefficients*, one per row in *fitted*.

    *fitted* is the mean per unit of weight (a probability, or a count per exposure of one row). *dispersion* is
    Pearson's χ² over the residual degrees of freedom; it is 1 where mean and variance agree with the family.
    """

    coefficients: Floats
    covariance: Floats
    fitted: Floats
    deviance: float
    aic: float
    dispersion: float
    iterations: int
    converged: bool

    @property
    def standard_errors(self) -> Floats:
        """Return the model-based standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))


def _irls(
    X: Floats,
    y: Floats,
    weights: Floats,
    offset: Floats,
    ridge: Floats,
    start: Floats,
    mean: Callable[[Floats], Floats],
    variance: Callable[[Floats], Floats],
    log_likelihood: Callable[[Floats], float],
) -> tuple[Floats, Floats, int, bool]:
    """Return coefficients, covariance, iterations and convergence for a canonical link.

    A step that lowers the penalised likelihood is halved, so that sparse cells cannot throw the fit off.
    """
    beta = start

    def objective(b: Floats) -> float:
        return log_likelihood(np.clip(X @ b + offset, -ETA_BOUND, ETA_BOUND)) - 0.5 * float(ridge @ b**2)

    value = objective(beta)
    converged = False
    for iteration in range(1, MAX_ITERATIONS + 1):  # noqa: B007 - the count is reported
        eta = np.clip(X @ beta + offset, -ETA_BOUND, ETA_BOUND)
        mu = mean(eta)
        w = weights * variance(mu)
        gradient = X.T @ (weights * (y - mu)) - ridge * beta
        information = (X * w[:, None]).T @ X + np.diag(ridge)
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        scale = 1.0
        while scale > 1e-6 and (candidate := objective(beta + scale * step)) < value - 1e-9:
            scale /= 2
        beta = beta + scale * step
        previous, value = value, candidate
        if abs(value - previous) <= TOLERANCE * (abs(value) + 0.1):
            converged = True
            break
    w = weights * variance(mean(np.clip(X @ beta + offset, -ETA_BOUND, ETA_BOUND)))
    information = (X * w[:, None]).T @ X + np.diag(ridge)
    covariance: Floats = np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64)
    return beta, covariance, iteration, converged


def _inputs(
    X: ArrayLike, y: ArrayLike, weights: ArrayLike | None, offset: ArrayLike | None, ridge: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2:
        raise InputError(f"X has {design.ndim} dimensions", what_to_do="give rows × columns")
    response = as_floats(y)
    rows, columns = design.shape
    if response.size != rows:
        raise InputError(f"X has {rows} rows and y {response.size}", what_to_do="give one y per row of X")
    w = np.ones(rows) if weights is None else as_floats(weights)
    o = np.zeros(rows) if offset is None else as_floats(offset)
    penalty = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (columns,)).copy()
    return design, response, w, o, penalty


def fit_logistic(
    X: ArrayLike,
    y: ArrayLike,
    *,
    trials: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ridge: ArrayLike = 0.0,
) -> GlmFit:
    """Fit a logistic regression of the share *y* (0–1, successes over *trials*) on X (rows × columns).

    X carries its own column of ones where an intercept is wanted. *ridge* is a penalty per column (0: none),
    half of it times the squared coefficient is taken from the log-likelihood. Raises InputError where the
    shapes do not match.
    """
    design, share, n, o, penalty = _inputs(X, y, trials, offset, ridge)

    def log_likelihood(eta: Floats) -> float:
        return float(np.sum(n * (share * eta - np.logaddexp(0.0, eta))))

    start = np.zeros(design.shape[1])
    beta, covariance, iterations, converged = _irls(
        design, share, n, o, penalty, start, special.expit, lambda mu: mu * (1 - mu), log_likelihood
    )
    fitted = special.expit(np.clip(design @ beta + o, -ETA_BOUND, ETA_BOUND))
    deviance = 2 * float(np.sum(n * (special.rel_entr(share, fitted) + special.rel_entr(1 - share, 1 - fitted))))
    successes = n * share
    constant = float(
        np.sum(special.gammaln(n + 1) - special.gammaln(successes + 1) - special.gammaln(n - successes + 1))
    )
    ll = log_likelihood(np.clip(design @ beta + o, -ETA_BOUND, ETA_BOUND)) + constant
    chi2 = float(np.sum(n * (share - fitted) ** 2 / np.maximum(fitted * (1 - fitted), 1e-12)))
    freedom = max(int(np.count_nonzero(n)) - design.shape[1], 1)
    return GlmFit(
        beta,
        covariance,
        fitted,
        deviance,
        2 * design.shape[1] - 2 * ll,
        chi2 / freedom,
        iterations,
        converged,
    )


def fit_poisson(
    X: ArrayLike,
    y: ArrayLike,
    *,
    exposure: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    ridge: ArrayLike = 0.0,
) -> GlmFit:
    """Fit a Poisson regression (log link) of counts *y* on X (rows × columns), with an optional *exposure*.

    *weights* let some rows count less (old ones, say); deviance, AIC and dispersion are then weighted sums. Raises
    InputError where the shapes do not match.
    """
    log_exposure = None if exposure is None else np.log(as_floats(exposure))
    design, counts, w, o, penalty = _inputs(X, y, weights, log_exposure, ridge)

    def log_likelihood(eta: Floats) -> float:
        return float(np.sum(w * (counts * eta - np.exp(eta))))

    # Least squares on log(y + ½) starts every common data set within a few steps of the answer.
    start = as_floats(np.linalg.lstsq(design, np.log(counts + 0.5) - o, rcond=None)[0])
    beta, covariance, iterations, converged = _irls(
        design, counts, w, o, penalty, start, np.exp, lambda mu: mu, log_likelihood
    )
    fitted = np.exp(np.clip(design @ beta + o, -ETA_BOUND, ETA_BOUND))
    deviance = 2 * float(np.sum(w * (special.xlogy(counts, counts / fitted) - (counts - fitted))))
    ll = float(np.sum(w * (counts * np.log(fitted) - fitted - special.gammaln(counts + 1))))
    freedom = max(counts.size - design.shape[1], 1)
    dispersion = float(np.sum(w * (counts - fitted) ** 2 / fitted)) / freedom
    return GlmFit(beta, covariance, fitted, deviance, 2 * design.shape[1] - 2 * ll, dispersion, iterations, converged)
