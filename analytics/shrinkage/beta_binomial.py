"""Shrunken rates: x of n successes in many groups whose true rates follow a beta distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.rates import Floats, as_floats
from analytics.shrinkage.mixtures import Shrunk, mixture_quantile, normalised
from journey.errors import InputError

MEAN_POINTS, STRENGTH_POINTS = 41, 41


def shrink_rates(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Shrunk:
    """Return the posterior of each group's rate under a beta prior that is learnt from all groups.

    Mean m and strength M of the prior are integrated out on a grid instead of being plugged in, with Morris's (1983)
    flat prior on the shrinkage factor of a typical group, B = M/(M + n̄). That is the guard against the runaway prior:
    few groups of one size may fit M → ∞ best, and a plugged-in M would then give every group the same rate with an
    interval of no width; here such an M has the weight that B = 1 deserves and no more.
    Raises InputError where successes exceed trials.
    """
    x, n = as_floats(successes), as_floats(trials)
    if np.any(x > n) or np.any(x < 0):
        raise InputError("successes outside 0…trials", where="shrink_rates", what_to_do="check the counts")
    typical = float(n[n > 0].mean()) if (n > 0).any() else 1.0
    # Half a pseudo-trial each side keeps the grid of m inside (0, 1) when nobody, or everybody, succeeded.
    pooled = (x.sum() + 0.5) / (n.sum() + 1.0)
    half = 6.0 * np.sqrt((1 / (n.sum() * pooled * (1 - pooled) + 1)) + 0.5 / max(x.size, 1))
    logits = np.linspace(special.logit(pooled) - half, special.logit(pooled) + half, MEAN_POINTS)
    factors = (np.arange(STRENGTH_POINTS) + 0.5) / STRENGTH_POINTS
    strength = typical * factors / (1 - factors)
    m, M = (grid.ravel() for grid in np.meshgrid(special.expit(logits), strength, indexing="ij"))
    alpha, beta = m * M, (1 - m) * M
    log_weight = np.log(m) + np.log1p(-m)  # a flat prior on m, on the logit grid
    # Groups of one size and count share a term, which makes chains of many small clerks cheap.
    (pairs_x, pairs_n), copies = np.unique(np.stack([x, n]), axis=1, return_counts=True)
    for successes_, trials_, count in zip(pairs_x, pairs_n, copies, strict=True):
        log_weight = log_weight + count * (
            special.betaln(alpha + successes_, beta + trials_ - successes_) - special.betaln(alpha, beta)
        )
    w = normalised(log_weight)
    # Points without weight cost time in every quantile and change nothing.
    kept = w > w.max() * 1e-4
    w, alpha, beta = w[kept] / w[kept].sum(), alpha[kept], beta[kept]
    tail = (1 - level) / 2
    answers = {}
    for successes_, trials_ in zip(pairs_x, pairs_n, strict=True):
        a, b = alpha + successes_, beta + trials_ - successes_

        def cdf(q: Floats, a: Floats = a, b: Floats = b) -> Floats:
            return np.asarray(special.betainc(a, b, q))

        answers[successes_, trials_] = (
            float(w @ (a / (a + b))),
            mixture_quantile(cdf, w, tail, 0.0, 1.0),
            mixture_quantile(cdf, w, 1 - tail, 0.0, 1.0),
        )
    table = np.array([answers[pair] for pair in zip(x, n, strict=True)]).reshape(-1, 3)
    total = alpha + beta
    return Shrunk(table[:, 0], table[:, 1], table[:, 2], float(w @ (alpha / total)), float(np.exp(w @ np.log(total))))
