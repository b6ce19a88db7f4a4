"""When a rate changed for good: the best division of a series into stretches of one level each.

Optimal partitioning (Jackson et al. 2005) of counts against expectations under a quasi-Poisson likelihood. The price of
a change is set so that a series without one shows one in four or five of a hundred cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.rates import Floats, as_floats, normal_quantile

# Twice the log-likelihood that a change must win: near the 95 % point of the largest gain in 26–104 steady weeks.
PRICE = 10.0
LEAST_STEPS = 3


@dataclass(frozen=True)
class Stretch:
    """Steps *start*…*end* − 1 at one level: *ratio* observed/expected with its 95 % interval."""

    start: int
    end: int
    ratio: float
    low: float
    high: float


def stretches(
    observed: ArrayLike,
    expected: ArrayLike,
    variance: ArrayLike | None = None,
    *,
    price: float = PRICE,
    least: int = LEAST_STEPS,
) -> list[Stretch]:
    """Return the stretches of a series of counts, one where nothing changed.

    *variance* of the counts where they are as expected (default Poisson). A stretch has at least *least* steps.
    Steps without expectation carry no information and join their neighbours. An empty series has no stretch.
    """
    o, e = as_floats(observed), as_floats(expected)
    v = e if variance is None else as_floats(variance)
    n = o.size
    if n == 0 or e.sum() <= 0:
        return []
    dispersion = float(v.sum() / e.sum())
    sums = [np.concatenate([[0.0], np.cumsum(x)]) for x in (o, e)]

    def gain(start: int, end: int) -> float:
        """Return twice the log-likelihood of one level, up to what no division changes."""
        seen, due = float(sums[0][end] - sums[0][start]), float(sums[1][end] - sums[1][start])
        return 2 * float(special.xlogy(seen, seen / due)) / dispersion if due > 0 else 0.0

    best = np.full(n + 1, -np.inf)
    best[0] = price  # the first stretch is no change
    came_from = np.zeros(n + 1, dtype=np.intp)
    least = min(least, n)
    for end in range(least, n + 1):
        for start in [0, *range(least, end - least + 1)]:
            value = best[start] + gain(start, end) - price
            if value > best[end]:
                best[end], came_from[end] = value, start
    edges = [n]
    while edges[-1] > 0:
        edges.append(int(came_from[edges[-1]]))
    edges.reverse()
    return [_stretch(a, b, o, e, dispersion) for a, b in pairwise(edges)]


def _stretch(start: int, end: int, o: Floats, e: Floats, dispersion: float) -> Stretch:
    seen, due = float(o[start:end].sum()), float(e[start:end].sum())
    if due <= 0:
        return Stretch(start, end, 1.0, 0.0, np.inf)
    # Square roots of counts have one variance whatever the level, a quarter of the dispersion.
    half = normal_quantile(0.95) * dispersion**0.5 / 2
    root = seen**0.5
    return Stretch(start, end, seen / due, max(root - half, 0.0) ** 2 / due, (root + half) ** 2 / due)
