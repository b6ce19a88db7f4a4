"""Features of customer and product: how often, how lately, how regularly he bought it."""

from typing import Self

import numpy as np

from recommender.baskets import Floats
from recommender.candidates.pool import Candidates
from recommender.views import View

DECAYS = (0.5, 0.7, 0.85, 0.95)


class PairHistory:
    """The customer's own history with the product."""

    def fit(self, view: View) -> Self:
        """Summarise every pair."""
        pairs = view.pairs
        self._pairs, self._products = pairs, view.products
        customer = (pairs.key // max(view.products, 1)).astype(np.int32)
        baskets = view.counts[customer].astype(np.float32)
        counts = pairs.counts.astype(np.float32)
        last, first = pairs.indptr[1:] - 1, pairs.indptr[:-1]
        last_age, first_age = pairs.age[last].astype(np.float32), pairs.age[first].astype(np.float32)
        since_last = (view.today[customer] - pairs.day[last]).astype(np.float32)
        since_first = (view.today[customer] - pairs.day[first]).astype(np.float32)
        again = np.maximum(counts - 1, 1)
        gap = np.where(counts > 1, (first_age - last_age) / again, np.nan)
        gap_days = np.where(counts > 1, (since_first - since_last) / again, np.nan)
        before_last = np.where(counts > 1, pairs.age[np.maximum(last - 1, 0)] - last_age, np.nan)
        table = {
            "pair_count": counts,
            "pair_share": counts / baskets,
            "pair_share_since_first": counts / (first_age + 1),
            "pair_last_age": last_age,
            "pair_last_age_share": last_age / baskets,
            "pair_first_age": first_age,
            "pair_since_last_days": since_last,
            "pair_since_first_days": since_first,
            "pair_gap": gap,
            "pair_gap_days": gap_days,
            "pair_due": (last_age + 1) / gap,
            "pair_due_days": since_last / np.maximum(gap_days, 0.5),
            "pair_gap_last": before_last,
            "pair_quantity": pairs.total(pairs.quantity) / np.maximum(counts, 1),
            "pair_last_three": pairs.total((pairs.age < 3).astype(np.float32)),
            "pair_last_six": pairs.total((pairs.age < 6).astype(np.float32)),
        }
        for decay in DECAYS:
            weight = np.power(np.float32(decay), pairs.age.astype(np.float32))
            reachable = (1 - decay**baskets) / (1 - decay)
            table[f"pair_decay_{decay}"] = pairs.total(weight) / reachable
        self._table = {name: values.astype(np.float32) for name, values in table.items()}
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """NaN for products never bought."""
        pair = self._pairs.find(candidates.customer, candidates.product, self._products)
        known = pair >= 0
        found: dict[str, Floats] = {}
        for name, values in self._table.items():
            column = np.full(len(candidates), np.nan, np.float32)
            column[known] = values[pair[known]]
            found[name] = column
        return found
