"""Truth of influence: what moves heart, head, overall and nps, and what practices do."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import polars as pl

from journey.simulation.laws import Laws
from journey.simulation.people import TOUCHPOINTS, touchpoint_correlation
from journey.simulation.products import F


def drivers_truth(laws: Laws) -> pl.DataFrame:
    """Weights of the touchpoints for heart, head, overall and nps, and their population LMG shares."""
    correlation = touchpoint_correlation(laws)
    rows: list[dict[str, object]] = []
    for kgi, weights in laws.drivers.items():
        w = np.array([weights[t] for t in TOUCHPOINTS])
        explained = 1 - laws.heart_head_noise
        shares = _lmg(correlation, w / np.sqrt(w @ correlation @ w) * np.sqrt(explained))
        order = np.argsort(-shares).argsort() + 1
        for i, touchpoint in enumerate(TOUCHPOINTS):
            share = float(shares[i] / shares.sum())
            row = {"kgi": kgi, "touchpoint": touchpoint, "weight": weights[touchpoint], "lmg_share": share}
            rows.append(row | {"order": int(order[i]), "r2": explained})
    return pl.DataFrame(rows)


def _lmg(correlation: F, beta: F) -> F:
    """Shapley shares of the explained variance of standardised predictors (Lindeman, Merenda, Gold 1980)."""
    k = len(beta)
    cov = correlation @ beta

    def r2(subset: tuple[int, ...]) -> float:
        if not subset:
            return 0.0
        index = list(subset)
        return float(cov[index] @ np.linalg.solve(correlation[np.ix_(index, index)], cov[index]))

    shares = np.zeros(k)
    for j in range(k):
        others = [i for i in range(k) if i != j]
        for size in range(k):
            weight = factorial(size) * factorial(k - size - 1) / factorial(k)
            for subset in combinations(others, size):
                shares[j] += weight * (r2(tuple(sorted((*subset, j)))) - r2(subset))
    return shares


def practices_truth(laws: Laws) -> pl.DataFrame:
    """Odds ratio of every practice; 1 is a planted non-effect."""
    return pl.DataFrame({"practice": list(laws.practice_odds), "odds_ratio": list(laws.practice_odds.values())})
