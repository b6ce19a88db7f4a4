"""Linear models in closed form: EASE on histories, and a ridge from decayed history to the next basket."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from recommender.baskets import Floats, Ints
from recommender.candidates.base import dense, rows_of
from recommender.candidates.states import past_states
from recommender.views import View


def busiest(view: View, limit: int) -> Ints:
    """The `limit` products bought by most customers, at least two, ascending by index."""
    buyers = np.bincount(view.owned.indices, minlength=view.products)
    order = np.argsort(-buyers, kind="stable")[:limit]
    return np.sort(order[buyers[order] >= 2]).astype(np.int32)


def columns_of(matrix: sparse.csr_array, columns: Ints) -> sparse.csr_array:
    """Some columns of a sparse matrix."""
    taken: sparse.csr_array = matrix.tocsc()[:, columns].tocsr()
    return taken


class LinearModel:
    """Scores = history restricted to the busiest products × weights; other products get 0."""

    threads = 1

    def _prepare(self, view: View, limit: int) -> None:
        self._products = view.products
        self._busy = busiest(view, limit)

    def score(self, customers: Ints) -> Floats:
        """History times weights, negative scores cut to 0."""
        scores = np.zeros((len(customers), self._products), np.float32)
        if len(self._busy):
            scores[:, self._busy] = np.maximum(rows_of(self._history, customers) @ self._weights, 0.0)
        return scores

    _history: sparse.csr_array
    _weights: Floats


@dataclass
class Ease(LinearModel):
    """EASE (Steck 2019): item weights with zero diagonal that rebuild every history from the rest of it.

    Solved over the `limit` busiest products, since cost grows with the cube of their number.
    """

    limit: int = 3500
    ridge: float = 100.0
    name: str = "ease"
    threads: int = 1

    def fit(self, view: View) -> Self:
        """Invert the regularised Gram matrix."""
        self._prepare(view, self.limit)
        counts = columns_of(view.decayed(0.95), self._busy)
        counts.data = np.minimum(np.log1p(counts.data) / np.log(2.0), 2.0).astype(np.float32)
        self._history = counts
        gram = dense((counts.T @ counts).tocsr())
        if not len(self._busy):
            return self
        gram[np.diag_indices_from(gram)] += self.ridge
        inverse = _inverse(gram, self.threads)
        self._weights = np.asarray(-inverse / np.diag(inverse), np.float32)
        np.fill_diagonal(self._weights, 0.0)
        return self


@dataclass
class NextBasket(LinearModel):
    """Ridge regression from the decayed history before each past basket to that basket.

    Weights solve (SᵀS + λI) W = SᵀB over all past states S and the baskets B that followed.
    """

    limit: int = 3500
    ridge: float = 60.0
    decay: float = 0.8
    states: int = 150_000
    seed: int = 0
    name: str = "next_basket"
    threads: int = 1

    def fit(self, view: View) -> Self:
        """Solve for the weights."""
        self._prepare(view, self.limit)
        states, followed = past_states(view, self.decay, self.states, self.seed)
        # a long history must not outweigh many short ones
        norms = np.sqrt(np.maximum(np.asarray(states.sum(axis=1), np.float32).ravel(), 1.0))
        states = _divided(columns_of(states, self._busy), norms)
        present = view.decayed(self.decay)
        total = np.sqrt(np.maximum(np.asarray(present.sum(axis=1), np.float32).ravel(), 1.0))
        self._history = _divided(columns_of(present, self._busy), total)
        if not len(self._busy):
            return self
        target = columns_of(rows_of(view.basket_matrix, followed), self._busy)
        penalty = np.full(len(self._busy), self.ridge, np.float32)
        gram = dense((states.T @ states).tocsr())
        gram[np.diag_indices_from(gram)] += penalty
        with threadpool_limits(self.threads, "blas"):
            factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
            weights = linalg.cho_solve(factor, dense((states.T @ target).tocsr()), overwrite_b=True, check_finite=False)
        # LAPACK answers column by column, which every product with a block of histories would turn round again
        self._weights = np.ascontiguousarray(weights, np.float32)
        return self


def _divided(matrix: sparse.csr_array, by: Floats) -> sparse.csr_array:
    data = (matrix.data / np.repeat(by, np.diff(matrix.indptr))).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _inverse(gram: Floats, threads: int) -> Floats:
    """Inverse of a symmetric positive definite float32 matrix, in place as far as LAPACK allows."""
    with threadpool_limits(threads, "blas"):
        factor, _ = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
        inverse, _ = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    lower: Floats = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T, np.float32)
