"""Features of the customer alone: how much, how often, how adventurous."""

from typing import Self

import numpy as np

from recommender.baskets import Floats
from recommender.candidates.pool import Candidates
from recommender.views import View


class CustomerFacts:
    """Basket sizes, rhythm, share of repeat purchases, taste for the popular."""

    def fit(self, view: View) -> Self:
        """Summarise every customer."""
        pairs = view.pairs
        people = view.customers
        owner = pairs.key // max(view.products, 1)
        distinct = np.bincount(owner, minlength=people).astype(np.float32)
        again = np.bincount(owner, weights=pairs.counts > 1, minlength=people)
        sizes = view.history.sizes.astype(np.float32)
        lines = np.bincount(view.history.customer, weights=sizes, minlength=people)
        baskets = np.maximum(view.counts, 1).astype(np.float32)
        last = np.maximum(view.ends - 1, 0)
        known = view.counts > 0
        first_purchase = pairs.age[pairs.indptr[:-1]]
        new_in_last = np.bincount(owner, weights=first_purchase == 0, minlength=people)
        new_in_three = np.bincount(owner, weights=first_purchase < 3, minlength=people)
        recent = np.bincount(view.history.customer, weights=np.where(view.basket_age < 3, sizes, 0), minlength=people)
        span = np.zeros(people, np.float32)
        previous_gap = np.full(people, np.nan, np.float32)
        if len(view.history):
            start = np.minimum(view.ends - view.counts, len(view.history) - 1)
            span[known] = (view.history.day[last] - view.history.day[start])[known]
            twice = view.counts > 1
            previous_gap[twice] = (view.history.day[last] - view.history.day[np.maximum(last - 1, 0)])[twice]
        last_size = sizes[np.minimum(last, max(len(sizes) - 1, 0))] if len(sizes) else np.zeros(people, np.float32)
        popularity = np.log1p(view.popularity)
        mainstream = np.bincount(owner, weights=popularity[pairs.key % max(view.products, 1)], minlength=people)
        table = {
            "customer_baskets": view.counts,
            "customer_products": distinct,
            "customer_basket_size": lines / baskets,
            "customer_last_size": np.where(known, last_size, np.nan),
            "customer_repeat_share": 1 - distinct / np.maximum(lines, 1),
            "customer_again_share": again / np.maximum(distinct, 1),
            "customer_new_in_last": new_in_last / np.maximum(last_size, 1),
            "customer_new_in_three": new_in_three / np.maximum(recent, 1),
            "customer_gap_days": span / np.maximum(view.counts - 1, 1),
            "customer_previous_gap": previous_gap,
            "customer_span_days": span,
            "customer_mainstream": mainstream / np.maximum(distinct, 1),
        }
        self._table = {name: np.asarray(values, np.float32) for name, values in table.items()}
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """The customer's facts, repeated for each candidate."""
        return {name: values[candidates.customer] for name, values in self._table.items()}
