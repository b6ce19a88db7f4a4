"""Features made of the candidate models' scores: raw, relative to the customer's best, and ranked."""

from typing import Self

import numpy as np

from recommender.baskets import Floats, Longs
from recommender.candidates.pool import Candidates
from recommender.views import View

FREE_BITS = 32
"""What a 64-bit integer has left beside the bits of a float32, which for values ≥ 0 have the order of the values."""


def ranks(values: Floats, candidates: Candidates) -> Floats:
    """Rank of each candidate within its customer, 1 the best; NaN for a score of 0, so that ties say nothing."""
    return ranks_within(values, candidates.indptr)


def ranks_within(values: Floats, indptr: Longs) -> Floats:
    """The same for any values of groups that stand at indptr[i]:indptr[i + 1]."""
    count, groups = len(values), len(indptr) - 1
    row = np.repeat(np.arange(groups), np.diff(indptr))
    place = int(count).bit_length()
    rank = np.empty(count, np.float32)
    if place + int(groups).bit_length() <= FREE_BITS:
        # group, falling value and place in one integer each: sorting those takes a fraction of sorting by two keys
        falling = np.uint64(0xFFFFFFFF) - (np.maximum(values, 0) + np.float32(0)).astype(np.float32).view(np.uint32)
        key = (row.astype(np.uint64) << np.uint64(place + 32)) | (falling << np.uint64(place))
        key |= np.arange(count, dtype=np.uint64)
        key.sort()
        order = (key & np.uint64((1 << place) - 1)).astype(np.int64)
    else:
        order = np.lexsort((-values, row))
    rank[order] = np.arange(count) - indptr[row] + 1  # the groups stand where they stood
    rank[values <= 0] = np.nan
    return rank


class ModelScores:
    """Three columns per candidate model, and how the models agree: told of all candidates of a customer together."""

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
