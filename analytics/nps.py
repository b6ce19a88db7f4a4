"""Net promoter score: the share who would recommend us (9–10) less the share who would not (0–6), in points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analytics.clustered_means import clustered_mean

PROMOTER_FROM = 9.0
DETRACTOR_TO = 6.0
_NOTIONAL = 3.0
"""Notional answers of the adjusted Wald interval: ¾ promoter, ¾ detractor, the rest passive."""


@dataclass(frozen=True)
class NetPromoterScore:
    """Points from −100 to 100 with the 95 % interval; error is its standard error in points."""

    value: float
    low: float
    high: float
    n: int
    promoters: int
    passives: int
    detractors: int
    error: float


def net_promoter_score(
    scores: ArrayLike,
    people: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> NetPromoterScore | None:
    """NPS of (n,) scores between 0 and 10; scores outside (such as −99) and NaN are not answers.

    The interval is the multinomial one with three notional answers (adjusted Wald: Rocks, The American Statistician
    70(4), 2016), which neither collapses nor leaves ±100 when few answer. ``people`` (n,) names who gave each answer:
    several answers of one person widen the interval by their design effect. ``weights`` (n,) enter through Kish's
    effective number of answers. None where nobody answered.
    """
    raw = np.asarray(scores, dtype=np.float64)
    kept = (raw >= 0.0) & (raw <= 10.0)
    raw = raw[kept]
    if raw.size == 0:
        return None
    w = np.ones(raw.size) if weights is None else np.asarray(weights, dtype=np.float64)[kept]
    who = None if people is None else np.asarray(people)[kept]
    sign = (raw >= PROMOTER_FROM).astype(np.float64) - (raw <= DETRACTOR_TO)
    value = float(np.average(sign, weights=w))
    effective = float(w.sum() ** 2 / (w**2).sum())
    up, down = float(np.average(sign > 0, weights=w)), float(np.average(sign < 0, weights=w))
    total = effective + _NOTIONAL
    p, d = (up * effective + _NOTIONAL / 4) / total, (down * effective + _NOTIONAL / 4) / total
    error = float(np.sqrt((p + d - (p - d) ** 2) / total)) * _design_effect(sign, who)
    half = float(stats.norm.ppf(0.5 + level / 2)) * error
    low, high = max(-1.0, p - d - half), min(1.0, p - d + half)
    return NetPromoterScore(
        value=100.0 * value,
        low=100.0 * min(low, value),
        high=100.0 * max(high, value),
        n=int(raw.size),
        promoters=int((sign > 0).sum()),
        passives=int((sign == 0).sum()),
        detractors=int((sign < 0).sum()),
        error=100.0 * error,
    )


def _design_effect(sign: NDArray[np.float64], who: NDArray[Any] | None) -> float:
    """How much wider the interval gets as one person's answers resemble each other, at least 1."""
    if who is None or sign.size < 2:
        return 1.0
    single, grouped = clustered_mean(sign, bounds=(-1.0, 1.0)), clustered_mean(sign, who, bounds=(-1.0, 1.0))
    if single is None or grouped is None or not single.error or grouped.error is None:
        return 1.0
    return max(1.0, grouped.error / single.error)
