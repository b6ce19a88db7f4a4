"""Posteriors that are mixtures over a grid of hyperparameters, and what is read off them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics.rates import Floats

BISECTIONS = 28


@dataclass(frozen=True)
class Shrunk:
    """Posterior mean and interval per group, and the prior's mean and strength (posterior means themselves).

    *prior_strength* counts pseudo-trials (beta-binomial) or pseudo-expected events (gamma-Poisson): a group of that
    size is moved half of the way to the prior mean.
    """

    mean: Floats
    low: Floats
    high: Floats
    prior_mean: float
    prior_strength: float


def normalised(log_weights: Floats) -> Floats:
    """Return weights that sum to one from unnormalised log weights."""
    weights = np.exp(log_weights - log_weights.max())
    return np.asarray(weights / weights.sum())


def mixture_quantile(
    cdf: Callable[[Floats], Floats], weights: Floats, probability: float, low: float, high: float
) -> float:
    """Return the quantile of a mixture with *weights*, whose component cdfs at a point are *cdf(point)*."""
    a, b = low, high
    for _ in range(BISECTIONS):
        middle = (a + b) / 2
        if float(weights @ cdf(np.array([middle]))) < probability:
            a = middle
        else:
            b = middle
    return (a + b) / 2
