"""Means of answers where one person may answer several times, with intervals that know it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval; ``low`` and ``high`` are None where one person cannot carry an interval.

    n counts answers, people the persons behind them, error is the standard error of the mean (None as above).
    """

    value: float
    low: float | None
    high: float | None
    n: int
    people: int
    error: float | None


def clustered_mean(
    values: ArrayLike,
    people: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    bounds: tuple[float, float] = (0.0, 100.0),
    level: float = 0.95,
) -> Mean | None:
    """Mean of (n,) values in ``bounds``; answers of one person (equal ``people``) are taken to hang together.

    The standard error is the linearised ratio estimator over persons (Cochran, Sampling Techniques, 1977, 6.4 and
    9A), the interval Student's t on persons − 1 degrees of freedom. Where all answers are equal the sample says
    nothing of the spread: the interval is then what the share of differing people, not seen in so many, could move.
    None where there are no values.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return None
    w = np.ones(x.size) if weights is None else np.asarray(weights, dtype=np.float64)
    codes = np.arange(x.size) if people is None else np.unique(np.asarray(people), return_inverse=True)[1].reshape(-1)
    count = int(codes.max()) + 1
    value = float(np.average(x, weights=w))
    if count < 2:
        return Mean(value, None, None, int(x.size), count, None)
    residual = np.bincount(codes, w * (x - value), count)
    error = float(np.sqrt(count / (count - 1) * (residual**2).sum()) / w.sum())
    floor, ceiling = bounds
    if np.ptp(x) == 0.0:
        unseen = 1.0 - ((1.0 - level) / 2) ** (1.0 / count)
        return Mean(
            value, value - unseen * (value - floor), value + unseen * (ceiling - value), int(x.size), count, error
        )
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * error
    return Mean(value, max(floor, value - half), min(ceiling, value + half), int(x.size), count, error)


@dataclass(frozen=True)
class Change:
    """A difference between two periods with its interval and two-sided p value."""

    previous: float
    difference: float
    low: float
    high: float
    p_value: float


def change_between(value: float, error: float | None, previous: float, previous_error: float | None) -> Change | None:
    """Difference of two estimates with their standard errors; None where either has none.

    People who answered in both periods make the true error smaller than this one, so that it errs on the side of no
    change.
    """
    if error is None or previous_error is None:
        return None
    both = float(np.hypot(error, previous_error))
    difference = value - previous
    half = float(stats.norm.ppf(0.975)) * both
    p_value = float(2 * stats.norm.sf(abs(difference) / both)) if both > 0 else float(difference == 0)
    return Change(previous, difference, difference - half, difference + half, p_value)
