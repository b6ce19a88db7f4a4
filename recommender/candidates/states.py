"""State neighbours: what followed when any customer's history looked like this one's does now."""

from dataclasses import dataclass
from threading import local
from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints, narrow
from recommender.candidates.base import (
    dense,
    inverse_frequency,
    normalised,
    rows_of,
    scaled_columns,
)
from recommender.candidates.nearest import NearestRows
from recommender.views import View

FORGOTTEN = 0.02
"""Baskets whose weight has decayed below this are left out of a state."""


def past_states(view: View, decay: float, limit: int, seed: int) -> tuple[sparse.csr_array, Ints]:
    """States × products of decayed histories before a past basket, and the index of the basket that followed.

    At most `limit` states, drawn with `seed`. decay 0 keeps the last basket only.
    """
    starts = view.ends - view.counts
    ordinal = np.arange(len(view.history)) - starts[view.history.customer]
    followed = np.flatnonzero(ordinal > 0)
    if len(followed) > limit:
        followed = np.sort(np.random.default_rng(seed).choice(followed, limit, replace=False))
    reach = 1 if decay == 0 else max(1, int(np.log(FORGOTTEN) / np.log(decay)))
    depth = np.minimum(ordinal[followed], reach)
    indptr = np.concatenate([[0], np.cumsum(depth)])
    age = np.arange(indptr[-1]) - np.repeat(indptr[:-1], depth)
    basket = narrow(np.repeat(followed - 1, depth) - age)
    weight = np.power(np.float32(max(decay, 1e-6)), age.astype(np.float32))
    member = sparse.csr_array((weight, basket, narrow(indptr)), shape=(len(followed), len(view.history)))
    return (member @ view.basket_matrix).tocsr(), followed.astype(np.int32)


@dataclass
class StateNeighbours:
    """Similarity-weighted mean of the baskets that followed the nearest states.

    A state is the decayed, tf-idf weighted, normalised history before a past basket of any customer. `sizes` are the
    neighbourhood sizes whose means are averaged; `second` weighs the basket after the next one.
    """

    decay: float = 0.85
    size: int = 200
    second: float = 0.3
    limit: int = 150_000
    seed: int = 0
    name: str = "states"

    def fit(self, view: View) -> Self:
        """Collect the states and what followed."""
        self._last = local()
        idf = inverse_frequency(view.owned)
        states, followed = past_states(view, self.decay, self.limit, self.seed)
        self._states = NearestRows(normalised(scaled_columns(states, idf)))
        present = view.decayed(self.decay) if self.decay > 0 else view.pooled((view.basket_age == 0).astype(np.float32))
        self._present = normalised(scaled_columns(present, idf))
        baskets = view.basket_matrix
        target = rows_of(baskets, followed)
        if self.second > 0 and len(followed):
            after = np.minimum(followed + 1, len(view.history) - 1)
            same = view.history.customer[after] == view.history.customer[followed]
            same &= after > followed
            step = sparse.csr_array(
                (same.astype(np.float32) * self.second, (np.arange(len(after)), after)),
                shape=(len(after), len(view.history)),
            )
            target = (target + step @ baskets).tocsr()
        self._followed = target
        return self

    def nearest(self, customers: Ints) -> sparse.csr_array:
        """Customers × states: similarity of the nearest states, strongest first.

        Scores and features ask for the same block one after the other in one thread; it is looked up once.
        """
        if getattr(self._last, "customers", None) is not customers:
            self._last.near = self._states.nearest(rows_of(self._present, customers), self.size)
            self._last.customers = customers
        near: sparse.csr_array = self._last.near
        return near

    def mean(self, near: sparse.csr_array) -> Floats:
        """The baskets that followed, averaged with the similarities as weights."""
        return dense((normalised(near, order=1) @ self._followed).tocsr())

    def score(self, customers: Ints) -> Floats:
        """Expected share of the next basket."""
        return self.mean(self.nearest(customers))
