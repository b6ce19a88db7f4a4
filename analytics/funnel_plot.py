"""Funnel plots for indirectly standardised ratios, corrected for over-dispersion.

Sources: Spiegelhalter (2005), Statistics in Medicine 24:1185–1202 (limits, square root, winsorised φ);
Spiegelhalter et al. (2012), JRSS A 175:1–47 (additive τ² by moments); NHS Digital's SHMI (logarithm, truncation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analytics.rates import Floats, as_floats

Z_95 = 1.959963984540054
Z_998 = 3.090232306167813

Transform = Literal["sqrt", "log"]
Trimming = Literal["winsorised", "truncated"]
FLAGS = ("none", "high_95", "high_998", "low_95", "low_998")


@dataclass(frozen=True)
class FunnelPlot:
    """One entry per unit: ratio O/E, z before and after the correction, and the flag after it.

    *overdispersion* is φ (1: chance alone), *tau2* the variance between units on the transformed scale, *average*
    the ratio of all units together.
    """

    ratio: Floats
    z: Floats
    adjusted_z: Floats
    flags: tuple[str, ...]
    overdispersion: float
    tau2: float
    average: float


def poisson_limits(expected: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Return the exact Poisson limits of O/E at *expected* that hold *level* of units on target (0.998, 0.95)."""
    e = as_floats(expected)
    tail = (1 - level) / 2
    low = stats.chi2.ppf(tail, 2 * e) / 2 / e
    high = stats.chi2.ppf(1 - tail, 2 * (e + 1)) / 2 / e
    return low, high


def transformed(ratio: Floats, standard_error: Floats, transform: Transform) -> tuple[Floats, Floats]:
    """Return value and standard error of a ratio around 1, on the scale where units are compared.

    *standard_error* is that of the ratio itself at target; a ratio of 0 is given half an event on the log scale.
    """
    if transform == "sqrt":
        return np.sqrt(ratio) - 1, standard_error / 2
    return np.log(np.maximum(ratio, standard_error**2 / 2)), standard_error


def dispersion(
    z: Floats, standard_error: Floats, *, trim: float = 0.1, trimming: Trimming = "winsorised"
) -> tuple[float, float]:
    """Return φ = mean z² after trimming the outermost *trim* at both ends, and the additive τ² by moments.

    Winsorising pulls the outermost z to the quantile (Spiegelhalter), truncating leaves those units out (SHMI).
    """
    if z.size < 2:
        return 1.0, 0.0
    low, high = np.quantile(z, [trim, 1 - trim])
    if trimming == "winsorised":
        kept, errors = np.clip(z, low, high), standard_error
    else:
        inside = (z >= low) & (z <= high) if z.size < 10 else (z > low) & (z < high)
        kept, errors = z[inside], standard_error[inside]
    n = kept.size
    phi = float(np.mean(kept**2))
    precision = errors**-2.0
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    tau2 = max(0.0, (n * phi - (n - 1)) / scale) if scale > 0 else 0.0
    return phi, tau2


def funnel_plot(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    variance: ArrayLike | None = None,
    transform: Transform = "sqrt",
    trim: float = 0.1,
    trimming: Trimming = "winsorised",
    min_expected: float = 0.0,
) -> FunnelPlot:
    """Return the funnel plot of *observed* against *expected* counts per unit.

    *variance* is that of the observed count at target (default: Poisson, equal to expected; for sums of Bernoulli
    events Σp(1−p)). Units with expected below *min_expected* get no flag and do not count for φ and τ²; a unit
    without expectation has ratio 1 and no flag.
    """
    o, e = as_floats(observed), as_floats(expected)
    v = e if variance is None else as_floats(variance)
    known = (e > 0) & (v > 0)
    ratio = np.where(known, o / np.where(known, e, 1.0), 1.0)
    error = np.where(known, np.sqrt(v) / np.where(known, e, 1.0), np.inf)
    counted = known & (e >= min_expected)
    z = np.zeros(o.size)
    adjusted = np.zeros(o.size)
    phi, tau2 = 1.0, 0.0
    if known.any():
        y, s = transformed(ratio[known], error[known], transform)
        z[known] = y / s
        if counted.any():
            inside = counted[known]
            phi, tau2 = dispersion((y / s)[inside], s[inside], trim=trim, trimming=trimming)
        adjusted[known] = y / np.sqrt(s**2 + tau2)
    flags = tuple(flag(value) if ok else "none" for value, ok in zip(adjusted, counted, strict=True))
    average = float(o.sum() / e.sum()) if e.sum() > 0 else 1.0
    return FunnelPlot(ratio, z, adjusted, flags, phi, tau2, average)


def flag(z: float) -> str:
    """Return the flag of a z-value: outside 99.8 %, outside 95 %, or none."""
    side = "high" if z > 0 else "low"
    if abs(z) > Z_998:
        return f"{side}_998"
    return f"{side}_95" if abs(z) > Z_95 else "none"


def limits(
    expected: ArrayLike, level: float, tau2: float = 0.0, transform: Transform = "sqrt"
) -> tuple[Floats, Floats]:
    """Return the funnel's limits of O/E at *expected* counts for *level*, widened by τ²: what a plot draws."""
    e = as_floats(expected)
    z = float(stats.norm.ppf(0.5 + level / 2))
    if transform == "sqrt":
        half = z * np.sqrt(1 / (4 * e) + tau2)
        return np.maximum(1 - half, 0.0) ** 2, (1 + half) ** 2
    half = z * np.sqrt(1 / e + tau2)
    return np.exp(-half), np.exp(half)
