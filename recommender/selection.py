"""What the validation view decides: rounds, which boosters, and whether the ranker beats the best single model."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Floats
from recommender.examples import Scene, lessons
from recommender.metrics import judge, standard_error
from recommender.ranker import RankerSettings, binned, grow, standardised

K = 10
ROUND_STEPS = (40, 80, 120, 170, 230, 300, 400)


@dataclass(frozen=True)
class Choice:
    """How one list is ranked. `objectives` are grown, standardised and summed; `single` replaces them where set."""

    objectives: tuple[str, ...]
    rounds: dict[str, int]
    single: str | None
    value: float
    single_value: float


def quality(scene: Scene, score: Floats, new_only: bool, seed: int) -> NDArray[np.float64]:
    """(recall@10 + ndcg@10) / 2 per customer with a target, ties broken at random."""
    indptr, rows = scene.indptr, len(scene.customers)
    score = score.astype(np.float64) + np.random.default_rng(seed).random(len(score)) * 1e-9
    if new_only:
        score = np.where(scene.owned, -np.inf, score)
    row = np.repeat(np.arange(rows), np.diff(indptr))
    order = np.lexsort((-score, row))
    rank = np.arange(len(score)) - indptr[row]
    top = (rank < K) & np.isfinite(score[order])
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
    data = binned(lessons(earlier, new_only), settings)
    raw: dict[str, Floats] = {}
    rounds: dict[str, int] = {}
    values: dict[tuple[str, ...], NDArray[np.float64]] = {}
    for objective in ("lambdarank", "binary"):
        booster = grow(data, settings, objective, settings.most_rounds, settings.seed)
        best = -1.0
        for step in (step for step in ROUND_STEPS if step <= settings.most_rounds):
            score = np.asarray(
                booster.predict(
                    judged.examples.matrix, num_iteration=step, raw_score=True, num_threads=settings.threads
                ),
                np.float32,
            )
            found = quality(judged, score, new_only, settings.seed)
            if found.mean() > best:
                best, rounds[objective], raw[objective] = float(found.mean()), step, score
                values[(objective,)] = found
    both = sum(standardised(raw[objective], judged.indptr) for objective in raw)
    values["lambdarank", "binary"] = quality(judged, np.asarray(both, np.float32), new_only, settings.seed)
    objectives = max(values, key=lambda names: float(values[names].mean()))
    gain = values[objectives] - single_values
    choice = Choice(objectives, rounds, None, float(values[objectives].mean()), float(single_values.mean()))
    if gain.mean() <= standard_error(gain):
        choice = replace(choice, single=single)
    return choice, raw
