"""How often customers come back: the BG/NBD model, by maximum likelihood.

While a customer lives they buy at a rate λ ~ Gamma(r, α); after each purchase they leave for good with probability p
~ Beta(a, b). Data per customer: x repeat purchases, t_x time of the last one since the first, T time observed since
the first, all in one unit. Source: Fader, Hardie and Lee, Marketing Science 24(2), 2005.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, psi

from journey.errors import InputError, NotEnoughData

Floats = NDArray[np.float64]

LEAST_CUSTOMERS = 30
LEAST_REPEATERS = 10
_LOG_BOUND = 13.0  # parameters between e**-13 and e**13, in units of the mean time observed
_STARTS = ((0.5, 0.5, 0.5, 2.0), (1.0, 0.3, 0.3, 3.0), (3.0, 1.0, 1.0, 10.0))
_NODES = 48


@dataclass(frozen=True)
class BuyingModel:
    """r, alpha, a, b, with the log-likelihood, and whether a parameter ran to its bound (then it is not identified)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    at_bound: bool = False

    def alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Probability (n,) that customers are still customers at T."""
        x, t_x, T = (np.asarray(v, dtype=np.float64) for v in (x, t_x, T))
        repeated = x > 0
        gone = np.log(self.a) - np.log(np.where(repeated, self.b + x - 1, 1.0))
        gone += (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        chance: Floats = np.where(repeated, 1.0 / (1.0 + np.exp(np.minimum(gone, 700.0))), 1.0)
        return chance

    def expected_purchases(self, horizon: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Expected purchases within ``horizon`` after T, (n,) for a number or (k, n) for k horizons.

        Given life at T, λ ~ Gamma(r + x, α + T) and p ~ Beta(a, b + x), and the expectation is that of
        (1 − (1 + p t / (α + T))^−(r+x)) / p. Gauss–Jacobi quadrature over p is exact to rounding and cannot overflow,
        which the closed form with ₂F₁ can.
        """
        x, t_x, T = (np.asarray(v, dtype=np.float64) for v in (x, t_x, T))
        steps = np.atleast_1d(np.asarray(horizon, dtype=np.float64))
        expected = np.empty((steps.size, x.size))
        for count in np.unique(x):
            who = np.flatnonzero(x == count)
            node, weight = _beta_nodes(self.a, self.b + count)
            for k, step in enumerate(steps):
                reach = np.log1p(np.outer(step / (self.alpha + T[who]), node))
                expected[k, who] = (-np.expm1(-(self.r + count) * reach) / node) @ weight
        expected *= self.alive(x, t_x, T)
        return expected[0] if np.ndim(horizon) == 0 else expected


def fit_buying(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> BuyingModel:
    """The BG/NBD model of (n,) customers; weights say how many customers a row stands for.

    Raises:
        InputError: a purchase lies outside of the time observed.
        NotEnoughData: fewer than LEAST_CUSTOMERS customers or LEAST_REPEATERS who came again.
    """
    x, t_x, T = (np.asarray(v, dtype=np.float64) for v in (x, t_x, T))
    w = np.ones(x.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if np.any((t_x < 0) | (t_x > T) | (x < 0) | ((x == 0) & (t_x > 0))):
        raise InputError("a last purchase lies outside of the time observed", what_to_do="give 0 ≤ t_x ≤ T")
    if w.sum() < LEAST_CUSTOMERS or w[x > 0].sum() < LEAST_REPEATERS or not T.max() > 0:
        raise NotEnoughData(
            f"{int(w.sum())} customers, {int(w[x > 0].sum())} of whom came again, are too few to model buying",
            what_to_do=f"wait for {LEAST_CUSTOMERS} customers and {LEAST_REPEATERS} who come again",
        )
    rows, place = np.unique(np.column_stack([x, t_x, T]), axis=0, return_inverse=True)
    w = np.bincount(place.reshape(-1), w).astype(np.float64)
    scale = float(np.average(rows[:, 2], weights=w))
    data = (rows[:, 0], rows[:, 1] / scale, rows[:, 2] / scale, w)
    fits = [
        minimize(
            _negative_likelihood,
            np.log(start),
            args=data,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_LOG_BOUND, _LOG_BOUND)] * 4,
            options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-9},
        )
        for start in _STARTS
    ]
    best = min(fits, key=lambda fit: float(fit.fun))
    r, alpha, a, b = (float(v) for v in np.exp(best.x))
    at_bound = bool(np.any(np.abs(best.x) > _LOG_BOUND - 1.0))
    # Rescaling time changes the likelihood's density by the scale once per repeat purchase.
    likelihood = -float(best.fun) * float(w.sum()) - float((w * rows[:, 0]).sum()) * float(np.log(scale))
    return BuyingModel(r, alpha * scale, a, b, likelihood, at_bound)


def _negative_likelihood(logs: Floats, x: Floats, t_x: Floats, T: Floats, w: Floats) -> tuple[float, Floats]:
    """Mean negative log-likelihood and its gradient in the logs of r, α, a, b."""
    r, alpha, a, b = np.exp(logs)
    repeated = x > 0
    last = np.where(repeated, b + x - 1, 1.0)
    live = -(r + x) * np.log(alpha + T)
    left = np.where(repeated, np.log(a) - np.log(last) - (r + x) * np.log(alpha + t_x), -np.inf)
    both = np.logaddexp(live, left)
    total = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) + both
    stays, goes = np.exp(live - both), np.exp(left - both)
    slope_r = psi(r + x) - psi(r) + np.log(alpha) - stays * np.log(alpha + T) - goes * np.log(alpha + t_x)
    slope_alpha = r / alpha - (r + x) * (stays / (alpha + T) + goes / (alpha + t_x))
    slope_a = psi(a + b) - psi(a + b + x) + goes / a
    slope_b = psi(b + x) - psi(a + b + x) - psi(b) + psi(a + b) - goes / last
    slopes = np.array([w @ slope_r * r, w @ slope_alpha * alpha, w @ slope_a * a, w @ slope_b * b])
    return -float(w @ total) / float(w.sum()), -slopes / w.sum()


def _beta_nodes(a: float, b: float, nodes: int = _NODES) -> tuple[Floats, Floats]:
    """Points and weights (summing to 1) of Gauss quadrature under a Beta(a, b) density (Golub and Welsch 1969).

    Worked out from the recurrence and not with scipy's routine, whose normalising constant overflows for large b.
    """
    above, below = b - 1.0, a - 1.0
    n = np.arange(1, nodes, dtype=np.float64)
    both = above + below
    diagonal = np.empty(nodes)
    diagonal[0] = (below - above) / (both + 2)
    diagonal[1:] = (below**2 - above**2) / ((2 * n + both) * (2 * n + both + 2))
    squared = np.empty(nodes - 1)
    squared[0] = 4 * (1 + above) * (1 + below) / ((2 + both) ** 2 * (3 + both))
    m = n[1:]
    squared[1:] = 4 * m * (m + above) * (m + below) * (m + both)
    squared[1:] /= (2 * m + both) ** 2 * (2 * m + both + 1) * (2 * m + both - 1)
    values, vectors = eigh_tridiagonal(diagonal, np.sqrt(squared))
    points: Floats = np.maximum((1.0 + values) / 2.0, 1e-15)
    return points, vectors[0] ** 2
