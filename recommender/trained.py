"""What a training run hands to serving: plain arrays over sorted id tables, nothing that needs a model library.

The numbers in `source` and `evidence_kind` index `columns.SOURCES` and `columns.EVIDENCE`. Products and customers
are positions in the sorted id tables. Everything here can be memory-mapped as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RankedLists:
    """Ranked candidates of many rows (customers, or stores), best first; row r is `indptr[r]:indptr[r + 1]`.

    `indptr` int64[rows + 1]; the others have one entry per candidate: `product` int32, `score` float32 (ranks
    within a row), `probability` float32 (calibrated, of being bought next time), `is_new` (never bought by the
    customer), `source` uint8, `evidence` int32 (the customer's own product that explains it, or -1),
    `evidence_kind` uint8, `evidence_value` float32 (count or similarity that goes with it).
    """

    indptr: NDArray[np.int64]
    product: NDArray[np.int32]
    score: NDArray[np.float32]
    probability: NDArray[np.float32]
    is_new: NDArray[np.bool_]
    source: NDArray[np.uint8]
    evidence: NDArray[np.int32]
    evidence_kind: NDArray[np.uint8]
    evidence_value: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, index: int) -> slice:
        """Where row `index` lies in the other arrays."""
        return slice(int(self.indptr[index]), int(self.indptr[index + 1]))

    @classmethod
    def empty(cls, rows: int = 0) -> Self:
        """Lists of `rows` rows without candidates."""
        return cls(
            np.zeros(rows + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32),
            np.zeros(0, np.bool_), np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(0, np.uint8),
            np.zeros(0, np.float32),
        )  # fmt: skip


@dataclass(frozen=True)
class ItemNeighbours:
    """Products that go with each product, strongest first: those of p are `indptr[p]:indptr[p + 1]`.

    `weight` in (0, 1] is the shrunken share of contexts with p that also held the neighbour.
    """

    indptr: NDArray[np.int64]
    product: NDArray[np.int32]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, index: int) -> slice:
        """Where the neighbours of product `index` lie."""
        return slice(int(self.indptr[index]), int(self.indptr[index + 1]))

    @classmethod
    def empty(cls, products: int) -> Self:
        """No neighbours for any of `products` products."""
        return cls(np.zeros(products + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))


@dataclass(frozen=True)
class SessionModel:
    """Everything the next-item model of anonymous contexts needs; see `candidates.sessions`.

    `arrays` are named flat arrays, `settings` the chosen weights.
    """

    arrays: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class TrainedModel:
    """One model version. Id tables are sorted by their UTF-8 bytes (Python's order of strings).

    `ahead` has a row per customer with the best candidates, owned and new; `cold` has row 0 for the whole chain
    and rows 1.. for `store_ids`. `arrays` keeps whatever else a version wants to remember (small).
    """

    cut_off: datetime
    product_ids: Sequence[str]
    customer_ids: Sequence[str]
    store_ids: Sequence[str]
    ahead: RankedLists
    cold: RankedLists
    copurchase: ItemNeighbours
    coview: ItemNeighbours
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    stage_seconds: Mapping[str, float]
    rows: int
    seed: int = 0
    sessions: SessionModel | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    """Rows and digest per source; see `provenance.fingerprint`."""
