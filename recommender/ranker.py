"""LightGBM rankers: they learn to order candidates from what customers bought next."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Flags, Floats, Longs

STEP = 40
PATIENCE = 2


@dataclass(frozen=True)
class RankerSettings:
    """How the rankers are grown; rounds are chosen on the validation view up to `most_rounds`.

    One thread each, which is quickest column by column: boosters are grown side by side, since LightGBM's own threads
    wait for each other at every split and lose more than they win where the machine has other work.
    """

    leaves: int = 31
    rate: float = 0.07
    most_rounds: int = 240
    feature_share: float = 0.4
    row_share: float = 0.7
    l2: float = 10.0
    leaf_rows: int = 50
    truncation: int = 20
    bins: int = 127
    threads: int = 1
    seed: int = 0

    def shorter(self, share: float) -> "RankerSettings":
        """At most `share` of the rounds, and no fewer than two looks at the validation view."""
        return replace(self, most_rounds=int(np.clip(self.most_rounds * share, 2 * STEP, self.most_rounds)))

    def parameters(self, objective: str, seed: int) -> dict[str, object]:
        """LightGBM's own names."""
        common: dict[str, object] = {
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "min_data_in_leaf": self.leaf_rows,
            "max_bin": self.bins,
            "num_threads": self.threads,
            "deterministic": True,
            "force_col_wise": True,
            "seed": seed,
            "verbosity": -1,
        }
        if objective == "binary":
            return {**common, "objective": "binary", "metric": "none"}
        return {
            **common,
            "objective": "lambdarank",
            "lambdarank_truncation_level": self.truncation,
            "metric": "none",
            "label_gain": [0, 1],
        }


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: features, whether bought, and the number of rows of each customer, in order."""

    names: list[str]
    matrix: Floats
    bought: Flags
    sizes: Longs

    def __len__(self) -> int:
        return len(self.bought)


@dataclass(frozen=True)
class SeveralExamples:
    """Examples of several scenes, their matrices one after the other and never joined: they are what memory goes to."""

    names: list[str]
    matrices: list[Floats]
    bought: Flags
    sizes: Longs

    def __len__(self) -> int:
        return len(self.bought)


@dataclass(frozen=True)
class Ranker:
    """Boosters whose scores are standardised within a customer and summed."""

    names: list[str]
    boosters: list[lgb.Booster] = field(default_factory=list)
    threads: int = 2

    def raw(self, matrix: Floats) -> list[Floats]:
        """Each booster's raw scores."""
        return [
            np.asarray(booster.predict(matrix, raw_score=True, num_threads=self.threads), np.float32)
            for booster in self.boosters
        ]

    def score(self, matrix: Floats, indptr: Longs) -> Floats:
        """One score per candidate; those of customer i stand at indptr[i]:indptr[i + 1]."""
        return summed(self.raw(matrix), indptr) if len(matrix) else np.zeros(0, np.float32)


def summed(raw: list[Floats], indptr: Longs) -> Floats:
    """The boosters' raw scores as one score per candidate."""
    total = np.zeros(int(indptr[-1]), np.float32)
    for values in raw:
        total += standardised(values, indptr)
    return total


def standardised(values: Floats, indptr: Longs) -> Floats:
    """Mean 0 and variance 1 within each customer."""
    sizes = np.diff(indptr)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    count = np.maximum(sizes, 1)
    mean = np.bincount(owner, weights=values, minlength=len(sizes)) / count
    centred = values - mean[owner]
    spread = np.sqrt(np.bincount(owner, weights=centred**2, minlength=len(sizes)) / count)
    return (centred / np.maximum(spread, 1e-6)[owner]).astype(np.float32)


def binned(examples: SeveralExamples, settings: RankerSettings) -> lgb.Dataset:
    """LightGBM's own table of the examples; the float matrices can be let go of afterwards."""
    parameters = {
        name: value
        for name, value in settings.parameters("lambdarank", settings.seed).items()
        if name in ("max_bin", "num_threads", "verbosity", "min_data_in_leaf", "force_col_wise", "deterministic")
    }
    data = lgb.Dataset(
        examples.matrices,
        label=examples.bought.astype(np.float32),
        group=examples.sizes,
        feature_name=list(examples.names),
        params=parameters,
        free_raw_data=True,
    )
    return data.construct()


def grow(data: lgb.Dataset, settings: RankerSettings, objective: str, rounds: int, seed: int) -> lgb.Booster:
    """One booster of `objective` (lambdarank or binary) after `rounds` rounds."""
    return lgb.train(settings.parameters(objective, seed), data, num_boost_round=rounds)


@dataclass(frozen=True)
class Grown:
    """The best moment of a booster: rounds, its raw scores on the judged rows, and the mean the judge gave them."""

    rounds: int
    raw: Floats
    value: float


def grow_watched(
    data: lgb.Dataset,
    settings: RankerSettings,
    objective: str,
    matrix: Floats,
    judge: Callable[[Floats], NDArray[np.float64]],
) -> Grown:
    """Grow until the mean of `judge` (raw scores of `matrix` → value per customer) has not risen for PATIENCE steps."""
    booster = lgb.Booster(settings.parameters(objective, settings.seed), data)
    raw = np.zeros(len(matrix), np.float32)
    best: Grown | None = None
    for done in range(0, settings.most_rounds, STEP):
        for _ in range(STEP):
            booster.update()
        step = booster.predict(
            matrix, start_iteration=done, num_iteration=STEP, raw_score=True, num_threads=settings.threads
        )
        raw = raw + np.asarray(step, np.float32)
        value = float(judge(raw).mean())
        if best is None or value > best.value:
            best = Grown(done + STEP, raw, value)
        elif done + STEP - best.rounds >= PATIENCE * STEP:
            break
    assert best is not None
    return best
