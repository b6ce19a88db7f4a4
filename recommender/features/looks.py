"""Features of web interest in time: how lately, how often and how seriously the customer looked, and bought since."""

from typing import Self

import numpy as np

from recommender.baskets import Floats, Ints, Longs
from recommender.candidates.pool import Candidates
from recommender.candidates.web import KIND_WEIGHT
from recommender.dataset import Dataset
from recommender.features.categories import product_groups
from recommender.views import View

DAY = 86_400_000_000
"""Microseconds."""
SECOND = 1_000_000
WINDOW_DAYS = 10


class Looks:
    """The customer's looks at the candidate and at others of its category, before the moment the view asks about.

    Ages are measured to that moment (`View.moments`), so that a look of a month ago is not taken for one of just now;
    baskets bought since the last look tell whether it had its chance already.
    """

    def __init__(self, dataset: Dataset) -> None:
        groups = product_groups(dataset.products)
        self._group: Ints | None = groups.get("leaf", next(iter(groups.values()), None))
        self._used = bool((dataset.web.customer >= 0).any())

    def fit(self, view: View) -> Self:
        """Summarise every customer × product and customer × category looked at."""
        self._products = view.products
        if not self._used:
            return self
        web = view.web
        known = web.customer >= 0
        customer, product, time = web.customer[known].astype(np.int64), web.product[known], web.time[known]
        age = (np.maximum(view.moments[customer] - time, 0) / DAY).astype(np.float32)
        weight = KIND_WEIGHT[web.kind[known]]
        recent = np.where(age < WINDOW_DAYS, weight, np.float32(0))
        shopped = _baskets_after(view, customer, time)
        self._by_product = _Table.of(customer * view.products + product, age, weight, recent, shopped)
        if self._group is not None:
            group = self._group[product]
            width = int(self._group.max(initial=0)) + 1
            told = group >= 0
            self._by_group = _Table.of(
                customer[told] * width + group[told], age[told], weight[told], recent[told], shopped[told]
            )
            self._width = width
        last = np.full(view.customers, np.nan, np.float32)
        nearest = np.full(view.customers, np.inf, np.float32)
        np.minimum.at(nearest, customer, age)
        last[np.isfinite(nearest)] = nearest[np.isfinite(nearest)]
        self._customer_days = last
        self._customer_recent = np.bincount(customer, weights=recent, minlength=view.customers).astype(np.float32)
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """NaN where nothing was looked at; no columns at all where no customer is known on the web."""
        if not self._used:
            return {}
        customer = candidates.customer.astype(np.int64)
        found = self._by_product.columns("look", customer * self._products + candidates.product)
        if self._group is not None:
            group = self._group[candidates.product]
            key = np.where(group >= 0, customer * self._width + group, -1)
            found |= self._by_group.columns("look_kin", key)
        found["look_any_days"] = self._customer_days[candidates.customer]
        found["look_any_recent"] = self._customer_recent[candidates.customer]
        return found


class _Table:
    """Per sorted key: age of the last look in days, weight of all, weight of the last days, baskets since the last."""

    def __init__(self, key: Longs, facts: dict[str, Floats]) -> None:
        self._key, self._facts = key, facts

    @classmethod
    def of(cls, key: Longs, age: Floats, weight: Floats, recent: Floats, shopped: Longs) -> Self:
        """From looks in any order; all arrays have one entry per look."""
        order = np.lexsort((age, key))
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))

        def total(values: Floats) -> Floats:
            summed = np.add.reduceat(values[order], first) if len(first) else np.zeros(0)
            return np.asarray(summed, np.float32)

        facts = {
            "days": age[order][first],
            "weight": total(weight),
            "recent": total(recent),
            "baskets_since": shopped[order][first].astype(np.float32),
        }
        return cls(key[first], facts)

    def columns(self, prefix: str, wanted: Longs) -> dict[str, Floats]:
        """The facts of each wanted key, NaN where it has none."""
        if not len(self._key):
            return {f"{prefix}_{name}": np.full(len(wanted), np.nan, np.float32) for name in self._facts}
        place = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        there = self._key[place] == wanted
        return {
            f"{prefix}_{name}": np.where(there, values[place], np.nan).astype(np.float32)
            for name, values in self._facts.items()
        }


def _baskets_after(view: View, customer: Longs, time: Longs) -> Longs:
    """How many baskets of the view each customer had after each time."""
    history = view.history
    if not len(history):
        return np.zeros(len(customer), np.int64)
    base = int(history.time.min()) // SECOND
    span = int(max(history.time.max(), time.max(initial=0))) // SECOND - base + 2

    def key(who: Longs, when: Longs) -> Longs:
        return who * span + np.clip(when // SECOND - base, -1, span - 2) + 1

    # baskets stand by customer and day, so their keys ascend
    bought = np.searchsorted(key(history.customer.astype(np.int64), history.time), key(customer, time), side="right")
    return np.asarray(view.ends[customer] - np.maximum(bought, view.ends[customer] - view.counts[customer]), np.int64)
