"""Invented chains whose laws the tests know, small enough to draw many of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Cells of proposals with the truth behind them: skill (logit) and rate on the own case mix, per clerk id."""

    cells: pl.DataFrame
    skill: Floats
    rate: Floats


def chain(
    seed: int,
    *,
    stores: int = 5,
    clerks: int = 8,
    proposals: int = 100,
    skill_sd: float = 0.3,
    store_sd: float = 0.25,
    unequal: bool = True,
    average_share: float = 0.0,
) -> Chain:
    """A chain whose clerks propose to customers of three tiers at four hours with a calibrated probability.

    *average_share* of the clerks are of exactly average skill.
    """
    rng = np.random.default_rng(seed)
    count = stores * clerks
    skill = rng.normal(0, skill_sd, count) * (rng.random(count) >= average_share)
    store_effect = rng.normal(0, store_sd, stores)
    n = np.maximum(1, rng.poisson(proposals * (rng.gamma(2, 0.5, count) if unequal else np.ones(count))))
    clerk = np.repeat(np.arange(count), n)
    band, tier = rng.integers(3, 7, clerk.size), rng.integers(0, 3, clerk.size)
    probability = np.round(rng.beta(2, 6, clerk.size), 2).clip(0.01, 0.95)
    offset = (
        -0.1 + 0.9 * special.logit(probability) + store_effect[clerk // clerks] + 0.2 * (tier - 1) - 0.1 * (band == 5)
    )
    p = special.expit(offset + skill[clerk])
    frame = pl.DataFrame(
        {
            "clerk_id": np.char.add("K", np.char.zfill(clerk.astype(str), 4)).tolist(),
            "store_id": (clerk // clerks).astype(str).tolist(),
            "band": band,
            "tier": tier.astype(str).tolist(),
            "probability": probability,
            "proposed": np.ones(clerk.size, dtype=int),
            "accepted": (rng.random(clerk.size) < p).astype(int),
        }
    )
    return Chain(frame, skill, np.bincount(clerk, weights=p) / n)
