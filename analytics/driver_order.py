"""Which of two drivers is the stronger one, and how certain that is.

Intervals of two shares may overlap though one is nearly always above the other, since both come from the same sheets.
So their order is judged on the drawn shares together: A is above B where it is so in CERTAIN of the draws. Two drivers
for which neither holds are tied: the report says so, and no screen puts the one before the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

CERTAIN = 0.975
"""Share of the draws from which on an order is told as certain (as the upper end of a 95 % interval)."""


@dataclass(frozen=True)
class Order:
    """Where one driver stands: the probability of being above the next by estimate (None for the last), the places that
    it may have (1 is the strongest), and the probability of an influence above the mean of all drivers.
    """

    above_next: float | None
    place_low: int
    place_high: int
    strong: float


def order_of(shares: ArrayLike, draws: ArrayLike) -> list[Order]:
    """How certain the order of p drivers is.

    shares: (p,) the estimates. draws: (m, p) the same on m bootstrap draws, all shares of a draw from the same draw.
    """
    estimate, drawn = np.asarray(shares, dtype=np.float64), np.asarray(draws, dtype=np.float64)
    above = probability_above(drawn)
    surely = above >= CERTAIN
    strong = (drawn > drawn.mean(axis=1, keepdims=True)).mean(axis=0)
    listed = np.argsort(-estimate, kind="stable")
    following = {int(a): int(b) for a, b in pairwise(listed)}
    return [
        Order(
            float(above[j, following[j]]) if j in following else None,
            1 + int(surely[:, j].sum()),
            estimate.size - int(surely[j].sum()),
            float(strong[j]),
        )
        for j in range(estimate.size)
    ]


def probability_above(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p, p): in which share of the draws the row's driver is above the column's; equal ones count half."""
    first, second = draws[:, :, None], draws[:, None, :]
    above: NDArray[np.float64] = ((first > second) + 0.5 * (first == second)).mean(axis=0)
    return above
