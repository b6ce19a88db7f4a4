"""The pilot: on one earlier view, which candidate sources the ranker of this retailer makes anything of."""

from dataclasses import dataclass

import numpy as np

from recommender.baskets import Flags
from recommender.examples import Scene, examples_of
from recommender.features.scores import ranks_within
from recommender.ranker import RankerSettings, binned, grow

ROUNDS = 60
NEGATIVES = 0.4
LEAST_GAIN = 0.006
"""Share of the boosters' gain from a source's columns below which the source teaches nothing that others do not."""
LEAST_REACH = 0.004
"""Share of what was bought for the first time that may be lost with a source."""
KEPT = frozenset({"popular", "repeat", "baskets", "cosine", "content", "web"})
"""Reasons and the lists of customers without a ranker rest on these."""


@dataclass(frozen=True)
class Source:
    """What one source did on the pilot view: its share of the boosters' gain, and of what was bought for the first
    time the part that nobody else among the sources kept proposed.
    """

    gain: float
    alone: float
    kept: bool


def sources_worth(scene: Scene, models: list[str], new_per_model: int, settings: RankerSettings) -> dict[str, Source]:
    """Every source with what it is worth; those with little of both are dropped, the least worthy first.

    The scene keeps all its candidates.
    """
    gains = gain_shares(scene, models, settings)
    fresh = scene.examples.bought & ~scene.owned
    proposed = {model: proposals(scene, model, new_per_model)[fresh] for model in models}
    by = np.sum(list(proposed.values()), axis=0)
    bought = max(int(fresh.sum()), 1)
    found: dict[str, Source] = {}
    for model in sorted(models, key=lambda name: gains[name]):
        alone = float((proposed[model] & (by == 1)).sum() / bought)
        kept = model in KEPT or gains[model] >= LEAST_GAIN or alone > LEAST_REACH
        found[model] = Source(round(gains[model], 5), round(alone, 5), kept)
        if not kept:
            by = by - proposed[model]
    return {model: found[model] for model in models}


def gain_shares(scene: Scene, models: list[str], settings: RankerSettings) -> dict[str, float]:
    """Share of the gain of two short boosters, one over everything and one over new products, by source.

    Of two sources that say the same a booster may like either; both are then worth less than one of them would be.
    """
    thin = scene.thinned(NEGATIVES, settings.seed)
    shares = dict.fromkeys(models, 0.0)
    for new_only in (False, True):
        examples = examples_of([thin], new_only)
        if not len(examples):
            continue
        booster = grow(binned(examples, settings), settings, "lambdarank", ROUNDS, settings.seed)
        gain = booster.feature_importance("gain")
        for column, value in zip(examples.names, gain / max(float(gain.sum()), 1e-9), strict=True):
            model = column.partition("_")[2]
            if model in shares:
                shares[model] = max(shares[model], 0.0) + float(value) / 2
    return shares


def proposals(scene: Scene, model: str, new_per_model: int) -> Flags:
    """Which candidates are among the model's best new ones of their customer."""
    column = scene.examples.matrix[:, scene.examples.names.index(f"score_{model}")]
    values = np.where(scene.owned, 0.0, np.nan_to_num(column, nan=0.0)).astype(np.float32)
    rank = ranks_within(values, scene.indptr)
    return np.asarray(rank <= new_per_model, np.bool_)
