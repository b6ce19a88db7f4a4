"""Item-item models: products go with products, through customers, baskets or a random walk."""

from abc import ABC, abstractmethod
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
)
from recommender.views import View


class ItemNeighbourModel(ABC):
    """Mean similarity of a product to the customer's decayed history; subclasses say what similarity is."""

    name = "items"
    neighbours = 200
    decay = 0.9

    @abstractmethod
    def similarity(self, view: View) -> sparse.csr_array:
        """Products × products; row i holds what goes with product i."""

    def fit(self, view: View) -> Self:
        """Compute similarities and every history."""
        self.similar = without_diagonal(self.similarity(view))
        self._history = normalised(view.decayed(self.decay), order=1)
        return self

    def score(self, customers: Ints) -> Floats:
        """History-weighted mean similarity."""
        return dense((rows_of(self._history, customers) @ self.similar).tocsr())


@dataclass
class Cosine(ItemNeighbourModel):
    """Cosine of the products' customer vectors."""

    neighbours: int = 200
    decay: float = 0.9
    name: str = "cosine"

    def similarity(self, view: View) -> sparse.csr_array:
        """Cosine over binary customer × product."""
        by_product = normalised(binary(view.owned).T.tocsr())
        return neighbours_of(by_product, by_product, self.neighbours + 1)


@dataclass
class Bm25(ItemNeighbourModel):
    """BM25 weighted co-occurrence (Robertson; as in implicit): long histories say less, repeated purchases saturate."""

    neighbours: int = 200
    decay: float = 0.9
    k1: float = 100.0
    b: float = 0.3
    name: str = "bm25"

    def similarity(self, view: View) -> sparse.csr_array:
        """Inner products of BM25 weighted product rows."""
        counts = view.owned
        length = np.asarray(counts.sum(axis=1), np.float32).ravel()
        norm = (1 - self.b) + self.b * length / max(float(length.mean()) if len(length) else 1.0, 1e-9)
        per_entry = np.repeat(norm, np.diff(counts.indptr)).astype(np.float32)
        weight = counts.data * (self.k1 + 1) / (self.k1 * per_entry + counts.data)
        weighted = scaled_columns(
            sparse.csr_array((weight.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape),
            inverse_frequency(counts),
        )
        by_product = weighted.T.tocsr()
        return neighbours_of(by_product, by_product, self.neighbours + 1)


@dataclass
class BasketCosine(ItemNeighbourModel):
    """Cosine of the products' basket vectors, un-carded receipts included; the last baskets count most."""

    neighbours: int = 200
    decay: float = 0.6
    name: str = "baskets"

    def similarity(self, view: View) -> sparse.csr_array:
        """Cosine over all baskets, counts drawn towards 0 by a handful of baskets."""
        together = view.all_baskets.T.tocsr()
        frequency = np.diff(together.indptr).astype(np.float32)
        by_product = scaled_rows(together, 1.0 / np.sqrt(frequency + 5.0))
        return neighbours_of(by_product, by_product, self.neighbours + 1)


@dataclass
class RandomWalk(ItemNeighbourModel):
    """RP3beta: three steps product → customer → product, popular ends penalised.

    Paudel et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications", 2017.
    """

    neighbours: int = 200
    decay: float = 0.9
    alpha: float = 0.8
    beta: float = 0.5
    name: str = "walk"

    def similarity(self, view: View) -> sparse.csr_array:
        """Transition probabilities to the power alpha, divided by popularity to the power beta."""
        history = binary(view.owned)
        forward = normalised(history.T.tocsr(), order=1)
        backward = normalised(history, order=1)
        forward.data = forward.data**self.alpha
        backward.data = backward.data**self.alpha
        popularity = np.bincount(history.indices, minlength=history.shape[1]).astype(np.float32)
        backward = scaled_columns(backward, np.power(np.maximum(popularity, 1.0), -self.beta))
        return neighbours_of(forward, backward.T.tocsr(), self.neighbours + 1)


def binary(matrix: sparse.csr_array) -> sparse.csr_array:
    """1 where the matrix has an entry."""
    return sparse.csr_array((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def without_diagonal(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with a zero diagonal."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    data = np.where(matrix.indices == rows, 0.0, matrix.data).astype(np.float32)
    kept = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    kept.eliminate_zeros()
    return kept
