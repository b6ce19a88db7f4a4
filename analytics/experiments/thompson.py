"""What a Thompson sampler shows: the probability of each item at each rank under its beta posteriors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.rates import Floats, as_floats

POINTS = 160


def ranking_probabilities(alpha: ArrayLike, beta: ArrayLike, ranks: int) -> Floats:
    """Return items × *ranks*: the probability that an item takes a rank when all are sorted by draws from Beta(α, β).

    Exact up to quadrature, without simulation: item i takes rank k where exactly k − 1 of the others draw more than
    i's own draw, a Poisson-binomial probability that is averaged over i's draw. The cost grows with the square of the
    number of items.
    """
    a, b = as_floats(alpha), as_floats(beta)
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    # Only high draws take the first ranks; the fourth power puts the points where those are.
    upper = ((1 - nodes) / 2) ** 4
    weights = weights / 2 * 4 * ((1 - nodes) / 2) ** 3
    out = np.empty((a.size, ranks))
    for item in range(a.size):
        own = special.betainccinv(a[item], b[item], upper)
        others = np.arange(a.size) != item
        below = special.betainc(a[others, None], b[others, None], own[None, :])
        exceed = np.zeros((ranks, POINTS))  # how many of the others so far draw more, as probabilities
        exceed[0] = 1.0
        for f in below:
            exceed[1:] = exceed[1:] * f + exceed[:-1] * (1 - f)
            exceed[0] *= f
        out[item] = exceed @ weights
    return out
