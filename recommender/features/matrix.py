"""The ranker's matrix: candidates and features of one view, built block by block."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recommender.baskets import Flags, Floats, Ints
from recommender.candidates.pool import CandidatePool, Candidates
from recommender.features.base import FeatureGroup
from recommender.features.scores import ModelScores
from recommender.views import View

BLOCK_CELLS = 2_000_000
"""Customers × products of one model's dense scores within a block; bounds the memory of a block."""
ROWS = 2_048
"""Rows of the matrix written at a time, column after column, while they stay in a processor's cache."""


class Panel:
    """A fitted pool of candidate models and feature groups over one view."""

    def __init__(self, view: View, pool: CandidatePool, groups: list[FeatureGroup]) -> None:
        self.view, self.pool = view, pool
        self.groups = [group.fit(view) for group in groups]
        self._scores = ModelScores(pool.names)

    def features(self, candidates: Candidates, keep: Flags | None = None) -> tuple[list[str], Floats]:
        """Names and the candidates × features matrix, float32, NaN where unknown; of those to `keep` alone, if given,
        whose ranks are still told among all.
        """
        columns: dict[str, Floats] = {}
        kept = candidates if keep is None else candidates.where(keep)
        for group in self.groups:
            columns.update(group.columns(kept))
        for name, values in self._scores.columns(candidates).items():
            columns[name] = values if keep is None else values[keep]
        matrix = np.empty((len(kept), len(columns)), np.float32)
        for start in range(0, len(kept), ROWS):
            part = slice(start, start + ROWS)
            for number, values in enumerate(columns.values()):
                matrix[part, number] = values[part]
        return list(columns), matrix

    def blocks(
        self, customers: Ints, threads: int, keep: Callable[[Candidates], Flags] | None = None
    ) -> Iterator[tuple[Candidates, list[str], Floats]]:
        """Candidates and features of these customers, block after block, in order; all, or those that `keep` marks."""
        size = int(np.clip(BLOCK_CELLS // max(self.view.products, 1), 16, 512))
        parts = [customers[start : start + size] for start in range(0, len(customers), size)]

        def build(part: Ints) -> tuple[Candidates, list[str], Floats]:
            candidates = self.pool.propose(part)
            kept = None if keep is None else keep(candidates)
            names, matrix = self.features(candidates, kept)
            return candidates if kept is None else candidates.where(kept), names, matrix

        if threads < 2 or len(parts) < 2:
            yield from map(build, parts)
            return
        with ThreadPoolExecutor(threads) as workers:
            # a few blocks at a time: finished ones wait in memory until they are taken
            for start in range(0, len(parts), 2 * threads):
                yield from workers.map(build, parts[start : start + 2 * threads])
