"""Looking every day without fooling oneself: always-valid intervals and p-values.

Source: the mixture sequential probability ratio test of Robbins (1970), for A/B tests Johari et al. (2022); as a
confidence sequence for any estimate that is asymptotically normal Waudby-Smith et al. (2024). Valid at every look at
once; the price is an interval about half as wide again as one that is looked at only once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.rates import Floats, as_floats

NARROWEST = 7.9  # the mixing, in variances of the estimate, at which a 95 % interval is narrowest


@dataclass(frozen=True)
class AlwaysValid:
    """Per look: the interval at that look, the running intersection of intervals, and the always-valid p-value."""

    low: Floats
    high: Floats
    p_value: Floats


def mixture_half_width(variance: ArrayLike, mixing: float, level: float = 0.95) -> Floats:
    """Return the half width for an estimate with *variance*; *mixing* is the variance of effects one hopes to see."""
    v = as_floats(variance)
    return np.asarray(np.sqrt(v * (v + mixing) / mixing * (2 * np.log(1 / (1 - level)) + np.log((v + mixing) / v))))


def always_valid(
    estimates: ArrayLike, variances: ArrayLike, *, mixing: float | None = None, level: float = 0.95
) -> AlwaysValid:
    """Return the sequence of always-valid intervals and p-values of an effect of zero, look by look.

    *variances* are the squared standard errors at each look. *mixing* must be fixed before the effect is seen; by
    default the interval is narrowest when there are sixteen times the data of the first look.
    """
    theta, v = as_floats(estimates), np.maximum(as_floats(variances), 1e-300)
    tau2 = mixing if mixing is not None else NARROWEST * float(v[0]) / 16
    half = mixture_half_width(v, tau2, level)
    log_ratio = 0.5 * np.log(v / (v + tau2)) + tau2 * theta**2 / (2 * v * (v + tau2))
    p = np.minimum.accumulate(np.minimum(1.0, np.exp(-np.minimum(log_ratio, 700.0))))
    return AlwaysValid(theta - half, theta + half, p)
