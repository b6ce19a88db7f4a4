"""Shrunken ratios: observed over expected events in many groups whose true ratios follow a gamma distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.rates import Floats, as_floats
from analytics.shrinkage.mixtures import Shrunk, mixture_quantile, normalised
from journey.errors import InputError

MEAN_POINTS, STRENGTH_POINTS = 41, 41


def shrink_ratios(observed: ArrayLike, expected: ArrayLike, level: float = 0.95) -> Shrunk:
    """Return the posterior of each group's observed/expected under a gamma prior learnt from all groups.

    The prior has mean m and strength M (pseudo-expected events); both are integrated out as in `shrink_rates`, with
    a flat prior on B = M/(M + ē). A group without expectation takes the prior. Raises InputError on negative counts.
    """
    o, e = as_floats(observed), as_floats(expected)
    if np.any(o < 0) or np.any(e < 0):
        raise InputError("negative counts", where="shrink_ratios", what_to_do="check observed and expected")
    typical = float(e[e > 0].mean()) if (e > 0).any() else 1.0
    pooled = (o.sum() + 0.5) / (e.sum() + 0.5)
    half = 6.0 * np.sqrt(1 / (o.sum() + 1) + 0.5 / max(o.size, 1))
    logs = np.linspace(np.log(pooled) - half, np.log(pooled) + half, MEAN_POINTS)
    factors = (np.arange(STRENGTH_POINTS) + 0.5) / STRENGTH_POINTS
    strength = typical * factors / (1 - factors)
    m, M = (grid.ravel() for grid in np.meshgrid(np.exp(logs), strength, indexing="ij"))
    shape, rate = m * M, M  # ratio ~ gamma(shape, rate): mean m
    log_weight = np.zeros_like(m)  # flat on log m: a ratio and its inverse are treated alike
    for o_i, e_i in zip(o, e, strict=True):
        log_weight = log_weight + (
            special.gammaln(shape + o_i)
            - special.gammaln(shape)
            + shape * np.log(rate)
            - (shape + o_i) * np.log(rate + e_i)
        )
    w = normalised(log_weight)
    kept = w > w.max() * 1e-4
    w, shape, rate = w[kept] / w[kept].sum(), shape[kept], rate[kept]
    tail = (1 - level) / 2
    rows = []
    for o_i, e_i in zip(o, e, strict=True):
        a, b = shape + o_i, rate + e_i

        def cdf(q: Floats, a: Floats = a, b: Floats = b) -> Floats:
            return np.asarray(special.gammainc(a, b * q))

        mean = float(w @ (a / b))
        top = float(np.max((a + 8 * np.sqrt(a) + 30) / b))
        rows.append(
            (
                mean,
                mixture_quantile(cdf, w, tail, 0.0, top),
                mixture_quantile(cdf, w, 1 - tail, 0.0, top),
            )
        )
    table = np.array(rows).reshape(-1, 3)
    return Shrunk(table[:, 0], table[:, 1], table[:, 2], float(w @ (shape / rate)), float(np.exp(w @ np.log(rate))))
