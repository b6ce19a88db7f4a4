"""Rates with their intervals: every rate the product shows carries its n and what chance alone would do to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value with the low and high end of its interval (95 % unless the maker says otherwise)."""

    value: float
    low: float
    high: float


def as_floats(values: ArrayLike) -> Floats:
    """Return *values* as a one-dimensional float64 array (no copy where it already is one)."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def counts(codes: NDArray[np.intp], size: int, weights: ArrayLike | None = None) -> Floats:
    """Return the number (or the sum of *weights*) of the entries of each code 0…size−1, as float64."""
    if weights is None:
        return np.bincount(codes, minlength=size).astype(np.float64)
    return np.bincount(codes, weights=np.asarray(weights, dtype=np.float64), minlength=size).astype(np.float64)


def normal_quantile(level: float) -> float:
    """Return the z of a two-sided interval of *level* (0.95 → 1.96)."""
    return float(stats.norm.ppf(0.5 + level / 2))


def wilson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return low and high of Wilson's score interval (1927), element by element.

    Without trials nothing is known: the interval is [0, 1].
    """
    x, n = as_floats(successes), as_floats(trials)
    z = normal_quantile(level)
    safe = np.maximum(n, 1.0)
    p = x / safe
    centre = (p + z**2 / (2 * safe)) / (1 + z**2 / safe)
    half = z / (1 + z**2 / safe) * np.sqrt(p * (1 - p) / safe + z**2 / (4 * safe**2))
    low = np.where(n > 0, np.clip(centre - half, 0.0, 1.0), 0.0)
    high = np.where(n > 0, np.clip(centre + half, 0.0, 1.0), 1.0)
    return low, high


def rate(successes: float, trials: float, level: float = 0.95) -> Estimate | None:
    """Return successes/trials with Wilson's interval, or None where there were no trials."""
    if trials <= 0:
        return None
    low, high = wilson(successes, trials, level)
    return Estimate(successes / trials, float(low[0]), float(high[0]))


def difference_of_rates(x1: float, n1: float, x0: float, n0: float, level: float = 0.95) -> Estimate:
    """Return p1 − p0 with Newcombe's hybrid score interval (1998, method 10).

    It stays inside [−1, 1] and behaves with few or no successes, where the Wald interval collapses.
    """
    low1, high1 = (float(side[0]) for side in wilson(x1, n1, level))
    low0, high0 = (float(side[0]) for side in wilson(x0, n0, level))
    p1 = x1 / n1 if n1 > 0 else (low1 + high1) / 2
    p0 = x0 / n0 if n0 > 0 else (low0 + high0) / 2
    delta = p1 - p0
    return Estimate(
        delta,
        delta - float(np.hypot(p1 - low1, high0 - p0)),
        delta + float(np.hypot(high1 - p1, p0 - low0)),
    )


def difference_of_means(treated: ArrayLike, control: ArrayLike, level: float = 0.95) -> Estimate:
    """Return mean(treated) − mean(control) with Welch's interval; see `difference_from_sums`."""
    a, b = as_floats(treated), as_floats(control)
    sums = [(v.size, float(v.sum()), float(np.sum(v**2))) for v in (a, b)]
    return difference_from_sums(*sums[0], *sums[1], level=level)


def difference_from_sums(
    n1: float, sum1: float, squares1: float, n0: float, sum0: float, squares0: float, *, level: float = 0.95
) -> Estimate:
    """Return the difference of two means from counts, sums and sums of squares, with Welch's t interval.

    With fewer than two rows on either side the variance is unknown and the interval is infinite; without any row on
    one side the value is NaN.
    """
    if n1 < 1 or n0 < 1:
        return Estimate(float("nan"), -np.inf, np.inf)
    value = sum1 / n1 - sum0 / n0
    if n1 < 2 or n0 < 2:
        return Estimate(value, -np.inf, np.inf)
    variances = [
        max(squares - total**2 / n, 0.0) / (n - 1) / n
        for n, total, squares in ((n1, sum1, squares1), (n0, sum0, squares0))
    ]
    error2 = variances[0] + variances[1]
    if error2 <= 0:
        return Estimate(value, value, value)
    freedom = error2**2 / (variances[0] ** 2 / (n1 - 1) + variances[1] ** 2 / (n0 - 1))
    half = float(stats.t.ppf(0.5 + level / 2, freedom)) * error2**0.5
    return Estimate(value, value - half, value + half)


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return q-values: the false discovery rate at which each test would just be called (1995)."""
    p = as_floats(p_values)
    if p.size == 0:
        return p
    order = np.argsort(p)
    stepped = p[order] * p.size / np.arange(1, p.size + 1)
    monotone = np.minimum.accumulate(stepped[::-1])[::-1]
    q = np.empty_like(p)
    q[order] = np.minimum(monotone, 1.0)
    return q
