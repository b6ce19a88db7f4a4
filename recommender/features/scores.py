"""Features made of the candidate models' scores: raw, relative to the customer's best, and ranked."""

from typing import Self

import numpy as np

from recommender.baskets import Floats, Longs
from recommender.candidates.pool import Candidates
from recommender.views import View


def ranks(values: Floats, candidates: Candidates) -> Floats:
    """Rank of each candidate within its customer, 1 the best; NaN for a score of 0, so that ties say nothing."""
    return ranks_within(values, candidates.indptr)


def ranks_within(values: Floats, indptr: Longs) -> Floats:
    """The same for any values of groups that stand at indptr[i]:indptr[i + 1]."""
    row = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((-values, row))
    rank = np.empty(len(values), np.float32)
    rank[order] = np.arange(len(values)) - indptr[row[order]] + 1
    rank[values <= 0] = np.nan
    return rank


class ModelScores:
    """Three columns per candidate model, and how the models agree."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def fit(self, view: View) -> Self:
        """Nothing to learn."""
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """Scores of 0 are unknown."""
        found: dict[str, Floats] = {}
        votes = np.zeros(len(candidates), np.float32)
        mean = np.zeros(len(candidates), np.float32)
        for name, values, best in zip(self._names, candidates.scores, candidates.best, strict=True):
            known = values > 0
            found[f"score_{name}"] = np.where(known, values, np.nan).astype(np.float32)
            top = np.maximum(best, 1e-12)[candidates.row]
            found[f"relative_{name}"] = np.where(known, values / top, np.nan).astype(np.float32)
            rank = ranks(values, candidates)
            found[f"rank_{name}"] = rank
            reciprocal = np.where(known, 1 / (rank + 10), 0)
            votes += reciprocal > 1 / 40
            mean += reciprocal
        found["votes"] = votes
        found["fused"] = mean
        return found
