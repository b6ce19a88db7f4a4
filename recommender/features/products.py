"""Features of the product alone: how popular, how new, how sticky, how it is moving."""

from typing import Self

import numpy as np

from recommender.baskets import Floats
from recommender.candidates.pool import Candidates
from recommender.candidates.popular import SalesCalendar
from recommender.columns import PRICE
from recommender.views import View

WINDOWS = (7, 28, 84)


class ProductFacts:
    """Popularity in windows that end at each customer's own today, age on the market, first-purchase share."""

    def fit(self, view: View) -> Self:
        """Count over the view's history."""
        pairs = view.pairs
        items = view.products
        product = pairs.key % max(items, 1)
        counts = pairs.counts.astype(np.float32)
        buyers = np.bincount(product, minlength=items).astype(np.float32)
        bought = np.bincount(product, weights=counts, minlength=items)
        again = np.bincount(product, weights=counts > 1, minlength=items)
        customer = pairs.key // max(items, 1)
        first_ordinal = view.counts[customer] - 1 - pairs.age[pairs.indptr[:-1]]
        # first purchases by customers who had bought elsewhere before: what people turn to, not what they began with
        discovered = np.bincount(product, weights=first_ordinal > 0, minlength=items)
        sizes = view.history.sizes[view.history.line_basket]
        with_size = np.bincount(view.history.product, weights=sizes, minlength=items)
        first_day = np.full(items, np.iinfo(np.int32).max, np.int64)
        np.minimum.at(first_day, view.history.product, view.history.day[view.history.line_basket])
        price = view.dataset.products[PRICE].to_numpy().astype(np.float32)
        released = view.dataset.products["released_day"].cast(float).to_numpy()
        self._first_day = np.where(np.isnan(released), first_day, released)
        mean_repeat = float(again.sum() / max(buyers.sum(), 1.0))
        table = {
            "product_buyers": buyers,
            "product_popularity": view.popularity,
            "product_per_buyer": bought / np.maximum(buyers, 1),
            "product_repeat_rate": (again + 10 * mean_repeat) / (buyers + 10),
            "product_discovered": discovered,
            "product_discovered_share": (discovered + 5 * 0.7) / (buyers + 5),
            "product_basket_size": with_size / np.maximum(bought, 1),
            "product_price": price,
            "product_uncarded_share": 1 - bought / np.maximum(view.popularity, 1),
        }
        self._table = {name: np.asarray(values, np.float32) for name, values in table.items()}
        self._calendar = SalesCalendar(view)
        self._today = view.today
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """Static facts and windows."""
        product = candidates.product
        found = {name: values[product] for name, values in self._table.items()}
        today = self._today[candidates.customer]
        calendar = self._calendar.cumulative
        now = calendar[self._calendar.until(today), product]
        recent: dict[int, Floats] = {}
        for days in WINDOWS:
            recent[days] = now - calendar[self._calendar.until(today - days), product]
            found[f"product_last_{days}"] = recent[days]
        found["product_so_far"] = now
        found["product_trend"] = np.asarray((recent[28] + 1) / (recent[84] / 3 + 1), np.float32)
        found["product_trend_short"] = np.asarray((recent[7] + 1) / (recent[28] / 4 + 1), np.float32)
        found["product_recent_share"] = np.asarray((recent[84] + 1) / (now + 5), np.float32)
        age = today - self._first_day[product]
        found["product_age_days"] = np.clip(age, -1, 4000).astype(np.float32)
        return found
