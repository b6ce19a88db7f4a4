"""What the validation view decides: rounds, which boosters, and whether the ranker beats the best single model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Flags, Floats, Longs
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


@dataclass(frozen=True)
class Ordered:
    """A scene's candidates, each customer's best first: the customer's row, the rank from 0, and whether bought."""

    row: Longs
    rank: Longs
    bought: Flags

    @classmethod
    def by(cls, scene: Scene, score: Floats, new_only: bool, seed: int) -> "Ordered":
        """By score, ties broken at random; of a list of new products those bought before are left out."""
        indptr, rows = scene.indptr, len(scene.customers)
        told = score.astype(np.float64) + np.random.default_rng(seed).random(len(score)) * 1e-9
        if new_only:
            told = np.where(scene.owned, -np.inf, told)
        row = np.repeat(np.arange(rows), np.diff(indptr))
        order = np.lexsort((-told, row))
        listed = np.isfinite(told[order])
        rank = np.arange(len(told)) - indptr[row]
        return cls(row[listed], rank[listed], scene.examples.bought[order][listed])


def quality(scene: Scene, score: Floats, new_only: bool, seed: int) -> NDArray[np.float64]:
    """(recall@10 + ndcg@10) / 2 per customer with a target, ties broken at random."""
    ordered = Ordered.by(scene, score, new_only, seed)
    top = ordered.rank < K
    hits = np.zeros((len(scene.customers), K), np.bool_)
    hits[ordered.row[top], ordered.rank[top]] = ordered.bought[top]
    judged = judge(hits, scene.new_targets if new_only else scene.targets, (K,)).values
    return (judged[f"recall@{K}"] + judged[f"ndcg@{K}"]) / 2


def whole_order(scene: Scene, score: Floats, new_only: bool, seed: int) -> NDArray[np.float64]:
    """NDCG of all candidates, without a cut, per customer with a target.

    Most of what is bought stands below the tenth place, above all where it is new. What happens there says how a
    booster is doing as well, so this curve over rounds is steadier than one of the first ten places alone, whose
    first chance rise would end the growing too early.
    """
    ordered = Ordered.by(scene, score, new_only, seed)
    targets = scene.new_targets if new_only else scene.targets
    gain = np.bincount(ordered.row, ordered.bought / np.log2(ordered.rank + 2.0), minlength=len(targets))
    ideal = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(int(targets.max(initial=0))) + 2.0))])
    some = targets > 0
    return np.asarray(gain[some] / ideal[targets[some]], np.float64)


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

    def first_ten(score: Floats) -> NDArray[np.float64]:
        return quality(judged, score, new_only, settings.seed)

    def everything(score: Floats) -> NDArray[np.float64]:
        return whole_order(judged, score, new_only, settings.seed)

    grown = {
        objective: grow_watched(data, settings, objective, judged.examples.matrix, everything)
        for objective in ("lambdarank", "binary")
    }
    values: dict[tuple[str, ...], NDArray[np.float64]] = {
        (name,): first_ten(found.raw) for name, found in grown.items()
    }
    both = standardised(grown["lambdarank"].raw, judged.indptr) + standardised(grown["binary"].raw, judged.indptr)
    values["lambdarank", "binary"] = first_ten(both)
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
