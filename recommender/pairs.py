"""Every customer and product bought: when and how much, purchase by purchase."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recommender.baskets import Floats, Ints, Longs

if TYPE_CHECKING:
    from recommender.views import View


@dataclass(frozen=True)
class PairTable:
    """Every customer × product bought, sorted by `key` = customer * products + product.

    Purchases of pair p, oldest first, are those at `indptr[p]:indptr[p + 1]` of the per-purchase arrays.
    Ages count the customer's later baskets; days are days since 1970-01-01.
    """

    key: Longs
    indptr: Longs
    age: Ints
    day: Ints
    quantity: Floats

    @classmethod
    def of(cls, view: "View") -> "PairTable":
        """All pairs of a view."""
        history = view.history
        basket = history.line_basket
        key = history.customer[basket].astype(np.int64) * view.products + history.product
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        return cls(
            key=key[first],
            indptr=np.append(first, len(key)).astype(np.int64),
            age=view.basket_age[basket][order],
            day=history.day[basket][order],
            quantity=history.quantity[order],
        )

    @property
    def counts(self) -> Longs:
        """Purchases of each pair."""
        return np.diff(self.indptr)

    def find(self, customer: Ints, product: Ints, products: int) -> Longs:
        """The pair of each customer and product, -1 where never bought."""
        if not len(self.key):
            return np.full(len(customer), -1, np.int64)
        wanted = customer.astype(np.int64) * products + product
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return np.where(self.key[place] == wanted, place, -1)

    def total(self, values: Floats) -> Floats:
        """Sum over each pair's purchases."""
        if not len(self.key):
            return np.zeros(0, np.float32)
        return np.add.reduceat(values, self.indptr[:-1]).astype(np.float32)
