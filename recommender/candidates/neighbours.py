"""Customers like this one: TIFUKNN, and the same over tf-idf weighted tastes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints
from recommender.candidates.base import (
    dense,
    inverse_frequency,
    normalised,
    rows_of,
    scaled_columns,
    scaled_rows,
)
from recommender.candidates.items import binary
from recommender.candidates.nearest import NearestRows, best_of_columns
from recommender.views import View

POOL = 50_000
"""Customers among whom neighbours are looked for; larger chains draw as many by lot, which costs little accuracy."""


def pool_of(view: View, limit: int, seed: int) -> Ints:
    """Customers with purchases, ascending, at most `limit` of them drawn with `seed`."""
    known = np.flatnonzero(view.counts > 0).astype(np.int32)
    if len(known) <= limit:
        return known
    return np.sort(np.random.default_rng(seed).choice(known, limit, replace=False)).astype(np.int32)


@dataclass
class CustomerNeighbours:
    """TIFUKNN: a customer's decayed basket vector mixed with the mean vector of the nearest customers.

    Hu et al., "Modeling Personalized Item Frequency Information for Next-basket Recommendation", SIGIR 2020, with
    one group; the vector is the mean of the decayed baskets, so customers with few baskets are not shrunken.
    Distance is Euclidean. `alpha` weighs the customer's own vector; with 0 only the neighbours speak.
    """

    decay: float = 0.9
    neighbours: int = 300
    alpha: float = 0.0
    limit: int = POOL
    seed: int = 0
    name: str = "neighbours"

    def fit(self, view: View) -> Self:
        """Build every customer's vector."""
        per_basket = np.divide(1.0, np.maximum(view.counts, 1)).astype(np.float32)
        self._vectors = scaled_rows(view.decayed(self.decay), per_basket)
        squares = sparse.csr_array(
            (self._vectors.data**2, self._vectors.indices, self._vectors.indptr), shape=self._vectors.shape
        )
        self._squared = np.asarray(squares.sum(axis=1), np.float32).ravel()
        self._known = pool_of(view, self.limit, self.seed)
        self._pool = rows_of(self._vectors, self._known)
        self._nearest = NearestRows(self._pool)
        return self

    def score(self, customers: Ints) -> Floats:
        """alpha × own vector + (1 - alpha) × mean of the neighbours' vectors."""
        own = rows_of(self._vectors, customers)
        if not len(self._known) or not len(customers):
            return dense(own)
        parts = []
        for start, product in self._nearest.products(own):
            closeness = 2.0 * product - self._squared[self._known][:, None]
            asked = customers[start : start + closeness.shape[1]]
            place = np.minimum(np.searchsorted(self._known, asked), len(self._known) - 1)
            themselves = np.flatnonzero(self._known[place] == asked)
            closeness[place[themselves], themselves] = -np.inf
            parts.append(binary(best_of_columns(closeness, self.neighbours, -np.inf)))
        weight = normalised(sparse.csr_array(sparse.vstack(parts, format="csr")), order=1)
        mean = dense((weight @ self._pool).tocsr())
        return mean if self.alpha == 0 else self.alpha * dense(own) + np.float32(1 - self.alpha) * mean


@dataclass
class TasteNeighbours:
    """Cosine of tf-idf weighted histories; the neighbours' normalised histories are averaged by similarity."""

    decay: float = 0.95
    neighbours: int = 150
    limit: int = POOL
    seed: int = 0
    name: str = "taste"

    def fit(self, view: View) -> Self:
        """Weigh and normalise every history."""
        history = view.decayed(self.decay)
        self._tastes = normalised(scaled_columns(history, inverse_frequency(view.owned)))
        self._known = pool_of(view, self.limit, self.seed)
        self._shares = normalised(rows_of(history, self._known), order=1)
        self._nearest = NearestRows(rows_of(self._tastes, self._known))
        return self

    def score(self, customers: Ints) -> Floats:
        """Similarity-weighted mean share of each product."""
        near = self._nearest.nearest(rows_of(self._tastes, customers), self.neighbours + 1)
        keep = self._known[near.indices] != np.repeat(customers, np.diff(near.indptr))
        near.data = near.data * keep
        return dense((normalised(near, order=1) @ self._shares).tocsr())
