"""What the validation view decides: rounds, which boosters, and whether the ranker beats the best single model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Floats
from recommender.examples import Scene, table_of
from recommender.metrics import judge, standard_error
from recommender.ranker import RankerSettings, grow_watched, standardised

K = 10


@dataclass(frozen=True)
class Choice:
    """How one list is ranked. `objectives` are grown, standardised and summed; `single` replaces them where set."""

    objectives: tuple[str, ...]
    rounds: dict[str, int]
    single: str | None
    value: float
    single_value: float
    best_single: str


def quality(scene: Scene, score: Floats, new_only: bool, seed: int) -> NDArray[np.float64]:
    """(recall@10 + ndcg@10) / 2 per customer with a target, ties broken at random."""
    indptr, rows = scene.indptr, len(scene.customers)
    told = score.astype(np.float64) + np.random.default_rng(seed).random(len(score)) * 1e-9
    if new_only:
        told = np.where(scene.owned, -np.inf, told)
    row = np.repeat(np.arange(rows), np.diff(indptr))
    order = np.lexsort((-told, row))
    rank = np.arange(len(told)) - indptr[row]
    top = (rank < K) & np.isfinite(told[order])
    hits = np.zeros((rows, K), np.bool_)
    hits[row[top], rank[top]] = scene.examples.bought[order[top]]
    judged = judge(hits, scene.new_targets if new_only else scene.targets, (K,)).values
    return (judged[f"recall@{K}"] + judged[f"ndcg@{K}"]) / 2


def best_single(scene: Scene, models: list[str], new_only: bool, seed: int) -> tuple[str, NDArray[np.float64]]:
    """The candidate model whose own order is best, and its values per customer."""
    values: dict[str, NDArray[np.float64]] = {}
    for model in models:
        column = scene.examples.matrix[:, scene.examples.names.index(f"score_{model}")]
        values[model] = quality(scene, np.nan_to_num(column, nan=0.0), new_only, seed)
    best = max(models, key=lambda model: float(values[model].mean()))
    return best, values[best]


def choose(
    earlier: list[Scene], judged: Scene, models: list[str], new_only: bool, settings: RankerSettings
) -> tuple[Choice, dict[str, Floats]]:
    """Grow on earlier views, judge on the validation scene; also the chosen boosters' raw scores there."""
    single, single_values = best_single(judged, models, new_only, settings.seed)
    data = table_of(earlier, new_only, settings)

    def judge_scores(score: Floats) -> NDArray[np.float64]:
        return quality(judged, score, new_only, settings.seed)

    grown = {
        objective: grow_watched(data, settings, objective, judged.examples.matrix, judge_scores)
        for objective in ("lambdarank", "binary")
    }
    values: dict[tuple[str, ...], NDArray[np.float64]] = {(name,): found.values for name, found in grown.items()}
    both = standardised(grown["lambdarank"].raw, judged.indptr) + standardised(grown["binary"].raw, judged.indptr)
    values["lambdarank", "binary"] = judge_scores(both)
    # what two kinds of booster agree on holds better than either: one alone must be better by more than chance
    objectives: tuple[str, ...] = ("lambdarank", "binary")
    for name in grown:
        lead = values[(name,)] - values[objectives]
        if lead.mean() > standard_error(lead):
            objectives = (name,)
    gain = values[objectives] - single_values
    return Choice(
        objectives=objectives,
        rounds={name: found.rounds for name, found in grown.items()},
        single=single if gain.mean() <= standard_error(gain) else None,
        value=float(values[objectives].mean()),
        single_value=float(single_values.mean()),
        best_single=single,
    ), {name: found.raw for name, found in grown.items()}
