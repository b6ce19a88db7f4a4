"""The ranker's matrix: candidates and features of one view, built block by block."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from recommender.baskets import Floats, Ints
from recommender.candidates.pool import CandidatePool, Candidates
from recommender.features.base import FeatureGroup
from recommender.views import View

BLOCK_CELLS = 2_000_000
"""Customers × products of one model's dense scores within a block; bounds the memory of a block."""


class Panel:
    """A fitted pool of candidate models and feature groups over one view."""

    def __init__(self, view: View, pool: CandidatePool, groups: list[FeatureGroup]) -> None:
        self.view, self.pool = view, pool
        self.groups = [group.fit(view) for group in groups]

    def features(self, candidates: Candidates) -> tuple[list[str], Floats]:
        """Names and the candidates × features matrix, float32, NaN where unknown."""
        columns: dict[str, Floats] = {}
        for group in self.groups:
            columns.update(group.columns(candidates))
        matrix = np.empty((len(candidates), len(columns)), np.float32)
        for number, values in enumerate(columns.values()):
            matrix[:, number] = values
        return list(columns), matrix

    def blocks(self, customers: Ints, threads: int) -> Iterator[tuple[Candidates, list[str], Floats]]:
        """Candidates and features of these customers, block after block, in order."""
        size = int(np.clip(BLOCK_CELLS // max(self.view.products, 1), 16, 512))
        parts = [customers[start : start + size] for start in range(0, len(customers), size)]

        def build(part: Ints) -> tuple[Candidates, list[str], Floats]:
            candidates = self.pool.propose(part)
            return candidates, *self.features(candidates)

        if threads < 2 or len(parts) < 2:
            yield from map(build, parts)
            return
        with ThreadPoolExecutor(threads) as workers:
            # a few blocks at a time: finished ones wait in memory until they are taken
            for start in range(0, len(parts), 2 * threads):
                yield from workers.map(build, parts[start : start + 2 * threads])
