"""What may be proposed to one customer at one moment: parallel arrays, merged from several sources of evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recommender.columns import EVIDENCE
from recommender.trained import RankedLists

GROUNDS: Final[tuple[str, ...]] = (
    *EVIDENCE,
    "viewed_itself",
    "carted",
    "favorited",
    "searched",
    "in_hand",
    "seen_with",
    "popular_here",
    "focus",
)
"""Everything a reason can rest on: what training knows, and what happened since. Stored by name, never by number."""

GROUND: Final[dict[str, int]] = {name: number for number, name in enumerate(GROUNDS)}


@dataclass(frozen=True)
class Candidates:
    """One entry per product: `product` int32, `probability` float64 of being bought this time, `is_new` bool,
    `source` uint8 (columns.SOURCES), `ground` uint8 (GROUNDS), `evidence` int32 (the customer's own product behind
    it, or -1), `value` float64 (count, similarity, or microseconds UTC of the event behind it).
    """

    product: NDArray[np.int32]
    probability: NDArray[np.float64]
    is_new: NDArray[np.bool_]
    source: NDArray[np.uint8]
    ground: NDArray[np.uint8]
    evidence: NDArray[np.int32]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.product)

    def take(self, chosen: NDArray[Any]) -> Candidates:
        """The entries under a mask or at positions, in that order."""
        return Candidates(
            self.product[chosen], self.probability[chosen], self.is_new[chosen], self.source[chosen],
            self.ground[chosen], self.evidence[chosen], self.value[chosen],
        )  # fmt: skip

    @classmethod
    def of_row(cls, lists: RankedLists, row: int, limit: int) -> Candidates:
        """The first `limit` entries of one row of ranked lists."""
        place = lists.row(row)
        place = slice(place.start, min(place.stop, place.start + limit))
        return cls(
            np.asarray(lists.product[place]), lists.probability[place].astype(np.float64),
            np.asarray(lists.is_new[place]), np.asarray(lists.source[place]), np.asarray(lists.evidence_kind[place]),
            np.asarray(lists.evidence[place]), lists.evidence_value[place].astype(np.float64),
        )  # fmt: skip

    @classmethod
    def uniform(
        cls, product: NDArray[np.int32], probability: NDArray[np.float64], *, source: int, ground: int,
        evidence: int = -1, value: float = 0.0,
    ) -> Candidates:  # fmt: skip
        """New products that share one ground."""
        n = len(product)
        return cls(
            product, probability, np.ones(n, np.bool_), np.full(n, source, np.uint8), np.full(n, ground, np.uint8),
            np.full(n, evidence, np.int32), np.full(n, value),
        )  # fmt: skip

    @classmethod
    def empty(cls) -> Candidates:
        """Nothing to propose."""
        return cls.uniform(np.zeros(0, np.int32), np.zeros(0), source=0, ground=0)


def join(parts: Sequence[Candidates]) -> Candidates:
    """The parts one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Candidates.empty()
    return Candidates(
        np.concatenate([p.product for p in parts]), np.concatenate([p.probability for p in parts]),
        np.concatenate([p.is_new for p in parts]), np.concatenate([p.source for p in parts]),
        np.concatenate([p.ground for p in parts]), np.concatenate([p.evidence for p in parts]),
        np.concatenate([p.value for p in parts]),
    )  # fmt: skip


def merge(parts: Sequence[Candidates]) -> Candidates:
    """One entry per product, ordered by product.

    Probabilities of independent grounds join by noisy-or (Pearl 1988): 1 - Π(1 - p). The ground of the largest
    probability explains the entry, since it moved it most. A product is new only if every part says so.
    """
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return join(parts)
    every = join(parts)
    order = np.lexsort((-every.probability, every.product))
    product = every.product[order]
    starts = np.flatnonzero(np.concatenate(([True], product[1:] != product[:-1])))
    strongest = every.take(order[starts])
    missed = np.multiply.reduceat(1.0 - every.probability[order], starts)
    return Candidates(
        strongest.product, 1.0 - missed, np.logical_and.reduceat(every.is_new[order], starts), strongest.source,
        strongest.ground, strongest.evidence, strongest.value,
    )  # fmt: skip


def without(part: Candidates, products: NDArray[np.int32], among: int) -> Candidates:
    """The part less some of the first `among` products; a mask over all of them beats NumPy's isin, which sorts."""
    stays = np.ones(among, np.bool_)
    stays[products] = False
    return part.take(stays[part.product])
