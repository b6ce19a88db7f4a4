"""Customers like this one: TIFUKNN, and the same over tf-idf weighted tastes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints
from recommender.candidates.base import (
    dense,
    inverse_frequency,
    neighbours_of,
    normalised,
    rows_of,
    scaled_columns,
    scaled_rows,
    strongest,
)
from recommender.views import View


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
    name: str = "neighbours"

    def fit(self, view: View) -> Self:
        """Build every customer's vector."""
        per_basket = np.divide(1.0, np.maximum(view.counts, 1)).astype(np.float32)
        self._vectors = scaled_rows(view.decayed(self.decay), per_basket)
        squares = sparse.csr_array(
            (self._vectors.data**2, self._vectors.indices, self._vectors.indptr), shape=self._vectors.shape
        )
        self._squared = np.asarray(squares.sum(axis=1), np.float32).ravel()
        self._known = np.flatnonzero(view.counts > 0).astype(np.int32)
        self._pool = rows_of(self._vectors, self._known)
        self._transposed = self._pool.T.tocsr()
        return self

    def score(self, customers: Ints) -> Floats:
        """alpha × own vector + (1 - alpha) × mean of the neighbours' vectors."""
        own = rows_of(self._vectors, customers)
        closeness = 2.0 * dense((own @ self._transposed).tocsr()) - self._squared[self._known]
        closeness[self._known[None, :] == customers[:, None]] = -np.inf
        k = min(self.neighbours, len(self._known))
        edge = len(self._known) - k
        least = np.partition(closeness, edge, axis=1)[:, edge]
        weight = sparse.csr_array((closeness >= least[:, None]).astype(np.float32))
        weight = normalised(weight, order=1)
        mean = dense((weight @ self._pool).tocsr())
        return mean if self.alpha == 0 else self.alpha * dense(own) + np.float32(1 - self.alpha) * mean


@dataclass
class TasteNeighbours:
    """Cosine of tf-idf weighted histories; the neighbours' normalised histories are averaged by similarity."""

    decay: float = 0.95
    neighbours: int = 150
    name: str = "taste"

    def fit(self, view: View) -> Self:
        """Weigh and normalise every history."""
        history = view.decayed(self.decay)
        self._tastes = normalised(scaled_columns(history, inverse_frequency(view.owned)))
        self._shares = normalised(history, order=1)
        self._transposed = self._tastes.T.tocsr()
        return self

    def score(self, customers: Ints) -> Floats:
        """Similarity-weighted mean share of each product."""
        near = strongest(rows_of(self._tastes, customers) @ self._transposed, self.neighbours + 1)
        keep = near.indices != np.repeat(customers, np.diff(near.indptr))
        near.data = near.data * keep
        return dense((normalised(near, order=1) @ self._shares).tocsr())


def similar_customers(view: View, customers: Ints, k: int) -> sparse.csr_array:
    """The k customers of most similar taste, for those asked, strongest first."""
    tastes = normalised(scaled_columns(view.owned, inverse_frequency(view.owned)))
    return neighbours_of(rows_of(tastes, customers), tastes, k)
