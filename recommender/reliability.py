"""The reliability diagram: what was promised against what happened, in bins that hold equally many purchases."""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.baskets import Flags, Floats

BINS = 10
Z = 1.959964


def reliability(probability: Floats, happened: Flags, bins: int = BINS) -> list[dict[str, Any]]:
    """Bins from the lowest to the highest probability: n, stated mean, observed rate with its Wilson interval.

    Bins of equal size would all stand at zero: most candidates are hardly ever bought.
    """
    order = np.argsort(probability, kind="stable")
    gone = np.cumsum(happened[order])
    total = int(gone[-1]) if len(gone) else 0
    if total < bins:
        return []
    edges = np.unique(np.searchsorted(gone, np.arange(1, bins) * total / bins, side="left") + 1)
    out = []
    for part in np.split(order, edges):
        n = len(part)
        if not n:
            continue
        rate = float(happened[part].mean())
        low, high = wilson(rate, n)
        stated = float(probability[part].mean())
        out.append({"n": n, "stated": round(stated, 5), "observed": round(rate, 5), "low": low, "high": high})
    return out


def wilson(rate: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson 1927)."""
    centre = (rate + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * np.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return round(float(max(0.0, centre - half)), 5), round(float(min(1.0, centre + half)), 5)
