"""How widely the lists spread over the range: coverage, Gini, and the share of the ten most proposed products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.trained import RankedLists

K = 10


def concentration(ahead: RankedLists, products: int, sales: NDArray[np.float32]) -> dict[str, Any]:
    """Spread of the first K places of everybody's list, and of the first K new ones, over all products.

    `sales` (baskets per product) is what to compare with: a list more concentrated than sales pushes best sellers.
    Returns ``{all|explore|sales: {products, coverage, gini, top10_share}}``.
    """
    owner = np.repeat(np.arange(len(ahead)), np.diff(ahead.indptr))
    found: dict[str, Any] = {"sales": spread(np.asarray(sales, np.float64))}
    for kind, allowed in (("all", np.ones(len(owner), np.bool_)), ("explore", ahead.is_new)):
        entry = np.flatnonzero(allowed)
        sizes = np.bincount(owner[entry], minlength=len(ahead))
        place = np.arange(len(entry)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        shown = np.bincount(ahead.product[entry[place < K]], minlength=products)
        found[kind] = spread(shown.astype(np.float64))
    return found


def spread(counts: NDArray[np.float64]) -> dict[str, Any]:
    """Products with any count, their share, the Gini index (0 even, 1 one product), the top ten's share."""
    total = float(counts.sum())
    if not len(counts) or total <= 0:
        return {"products": 0, "coverage": 0.0, "gini": 0.0, "top10_share": 0.0}
    ordered = np.sort(counts)
    n = len(ordered)
    gini = float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))
    some = int((counts > 0).sum())
    return {
        "products": some,
        "coverage": round(some / n, 4),
        "gini": round(gini, 4),
        "top10_share": round(float(ordered[-10:].sum()) / total, 4),
    }
