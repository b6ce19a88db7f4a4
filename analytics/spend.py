"""How much customers spend per purchase: the Gamma–Gamma model, by maximum likelihood.

A customer's purchases scatter around their own mean, and the means differ between customers. Data per customer: x
purchases and their mean amount m. It takes spend and frequency to be unrelated: see frequency_correlation. Source:
Fader, Hardie and Lee, J. Marketing Research 42(4), 2005; Fader and Hardie, "The Gamma-Gamma Model of Monetary Value",
2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, psi

from journey.errors import NotEnoughData

Floats = NDArray[np.float64]

LEAST_CUSTOMERS = 10
_LOG_BOUND = 13.0


@dataclass(frozen=True)
class SpendModel:
    """p, q and v (gamma in some texts), the observed mean amount, and whether a parameter ran to its bound."""

    p: float
    q: float
    v: float
    observed_mean: float
    at_bound: bool = False

    @property
    def population_mean(self) -> float:
        """Mean amount per purchase of a customer nothing is known of; the observed mean where the model has none."""
        return self.p * self.v / (self.q - 1) if self.q > 1.0 and not self.at_bound else self.observed_mean

    def expected_amount(self, x: ArrayLike, m: ArrayLike) -> Floats:
        """Expected amount (n,) per future purchase of customers with x purchases of mean amount m.

        A weighted mean of the population's and the customer's own: the more purchases, the more their own counts.
        Customers without a positive amount get the population's.
        """
        x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
        known = (x > 0) & (m > 0)
        if self.at_bound:
            return np.where(known, m, self.observed_mean)
        weight = np.where(known, self.p * x / np.maximum(self.p * x + self.q - 1, 1e-12), 0.0)
        return weight * np.where(known, m, 0.0) + (1 - weight) * self.population_mean


def fit_spend(x: ArrayLike, m: ArrayLike) -> SpendModel:
    """The Gamma–Gamma model of (n,) customers; those without purchases or with a mean of zero or less are left out.

    Raises:
        NotEnoughData: fewer than LEAST_CUSTOMERS are left.
    """
    x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    kept = (x > 0) & (m > 0)
    x, m = x[kept], m[kept]
    if x.size < LEAST_CUSTOMERS:
        raise NotEnoughData(
            f"{x.size} customers with repeat purchases are too few to model spend",
            what_to_do=f"wait for {LEAST_CUSTOMERS} who come again",
        )
    scale = float(m.mean())
    fit = minimize(
        _negative_likelihood,
        np.log([2.0, 2.0, 1.0]),
        args=(x, m / scale),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_LOG_BOUND, _LOG_BOUND)] * 3,
        options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-9},
    )
    p, q, v = (float(value) for value in np.exp(fit.x))
    observed = float(np.average(m, weights=x))
    return SpendModel(p, q, v * scale, observed, bool(np.any(np.abs(fit.x) > _LOG_BOUND - 1.0)))


def frequency_correlation(x: ArrayLike, m: ArrayLike) -> float | None:
    """Correlation of purchases and mean amount among those who came again; far from 0, lifetime values mislead."""
    x, m = np.asarray(x, dtype=np.float64), np.asarray(m, dtype=np.float64)
    kept = (x > 0) & (m > 0)
    if kept.sum() < LEAST_CUSTOMERS or np.ptp(x[kept]) == 0 or np.ptp(m[kept]) == 0:
        return None
    return float(np.corrcoef(x[kept], m[kept])[0, 1])


def _negative_likelihood(logs: Floats, x: Floats, m: Floats) -> tuple[float, Floats]:
    p, q, v = np.exp(logs)
    shape = p * x
    pooled = np.log(v + m * x)
    total = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) + (shape - 1) * np.log(m)
    total += shape * np.log(x) - (shape + q) * pooled
    slope_p = x * (psi(shape + q) - psi(shape) + np.log(m) + np.log(x) - pooled)
    slope_q = psi(shape + q) - psi(q) + np.log(v) - pooled
    slope_v = q / v - (shape + q) / (v + m * x)
    slopes = np.array([slope_p.sum() * p, slope_q.sum() * q, slope_v.sum() * v])
    return -float(total.mean()), -slopes / x.size
