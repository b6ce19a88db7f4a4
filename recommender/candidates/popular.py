"""Popularity of the chain, of the last weeks, and of the customer's own store."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints, Longs
from recommender.candidates.base import dense
from recommender.views import View

CELLS = 30_000_000
"""Largest day × product table held; longer records are counted by several days at once."""


@dataclass
class Popular:
    """Baskets that held the product, as a share of the most popular one's."""

    name: str = "popular"

    def fit(self, view: View) -> Self:
        """Count baskets, un-carded ones too."""
        self._share = view.popularity / max(float(view.popularity.max(initial=0.0)), 1.0)
        return self

    def score(self, customers: Ints) -> Floats:
        """The same row for everybody."""
        return np.broadcast_to(self._share, (len(customers), len(self._share))).astype(np.float32)


class SalesCalendar:
    """Baskets per product in any window of days, from cumulative counts."""

    def __init__(self, view: View) -> None:
        day = np.concatenate(
            [view.history.day[view.history.line_basket], view.dataset.uncarded.day[view.dataset.uncarded.line_basket]]
        )
        product = np.concatenate([view.history.product, view.dataset.uncarded.product])
        self.first = int(day.min(initial=0)) if len(day) else 0
        span = int(day.max(initial=self.first)) - self.first + 1 if len(day) else 1
        self.width = max(1, -(-span * view.products // CELLS))
        buckets = -(-span // self.width)
        cell = (day - self.first) // self.width * np.int64(view.products) + product
        table = np.bincount(cell, minlength=buckets * view.products).reshape(buckets, view.products)
        self.cumulative = np.zeros((buckets + 1, view.products), np.float32)
        for bucket in range(buckets):
            np.add(self.cumulative[bucket], table[bucket], out=self.cumulative[bucket + 1])

    def until(self, days: Ints | Longs) -> Ints:
        """The row of `cumulative` that holds everything up to and including each day."""
        rows = (np.asarray(days) - self.first) // self.width + 1
        held: Ints = np.clip(rows, 0, len(self.cumulative) - 1).astype(np.int32)
        return held

    def window(self, days: Ints, length: int) -> Floats:
        """Baskets with each product in the `length` days that end with each of `days`; days × products."""
        sold: Floats = self.cumulative[self.until(days)] - self.cumulative[self.until(days - length)]
        return sold


@dataclass
class Trending:
    """Share of the baskets of the last `days` days before the customer's own today."""

    days: int = 28
    name: str = "trend"

    def fit(self, view: View) -> Self:
        """Build the calendar."""
        self._calendar = SalesCalendar(view)
        self._today = view.today
        return self

    def score(self, customers: Ints) -> Floats:
        """Relative to the most popular product of that window."""
        window = self._calendar.window(self._today[customers], self.days)
        return np.asarray(window / np.maximum(window.max(axis=1, keepdims=True), 1.0), np.float32)


@dataclass
class StorePopular:
    """Popularity in the store the customer goes to most, drawn towards the chain's by `prior` baskets."""

    prior: float = 200.0
    name: str = "store"

    def fit(self, view: View) -> Self:
        """Count baskets by store and find everybody's store."""
        stores = max(len(view.dataset.store_ids), 1)
        self._share = store_shares(view, self.prior)
        visits = sparse.csr_array(
            (np.ones(len(view.history), np.float32), (view.history.customer, view.history.store)),
            shape=(view.customers, stores),
        )
        self._visits = visits
        return self

    def score(self, customers: Ints) -> Floats:
        """Share of the store's baskets, relative to its most popular product."""
        home = dense(self._visits[customers]).argmax(axis=1)
        share: Floats = self._share[home]
        return share


def store_shares(view: View, prior: float) -> Floats:
    """Stores × products: shrunken share of a store's baskets with the product, the store's largest being 1."""
    stores = max(len(view.dataset.store_ids), 1)
    store = np.concatenate([view.history.store, view.dataset.uncarded.store])
    member = sparse.csr_array(
        (np.ones(len(store), np.float32), (store, np.arange(len(store)))), shape=(stores, len(store))
    )
    counts = dense((member @ view.all_baskets).tocsr())
    chain = view.popularity / max(len(store), 1)
    share = (counts + prior * chain) / (np.bincount(store, minlength=stores)[:, None] + prior)
    return np.asarray(share / np.maximum(share.max(axis=1, keepdims=True), 1e-9), np.float32)
