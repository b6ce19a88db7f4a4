"""Repurchase hazards: the chance that a product is in the next basket, by what it is and how long ago it was bought.

Trials are counted in the customer's baskets: every basket after a purchase, up to and including the one with the
next purchase, is a trial at its age (1 = the basket right after). Rates of one product are drawn towards those of
the whole assortment by SHRINK trials.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Floats, Ints, Longs
from recommender.candidates.pool import Candidates
from recommender.pairs import PairTable
from recommender.views import View

AGE_STARTS = np.array([1, 2, 3, 4, 6, 9, 14], np.int64)
COUNT_STARTS = np.array([1, 2, 3, 4, 6, 10], np.int64)
SHRINK = 20.0

Counts = NDArray[np.float64]


def _bucket(values: Ints | Longs, starts: Longs) -> Longs:
    return np.searchsorted(starts, values, side="right") - 1


def trials(pairs: PairTable, products: int) -> tuple[Ints, Longs, Longs, NDArray[np.bool_]]:
    """One row per purchase: product, purchases so far, trials that followed, whether the last trial was a purchase."""
    counts = pairs.counts
    product = np.repeat((pairs.key % max(products, 1)).astype(np.int32), counts)
    nth = np.arange(len(pairs.age)) - np.repeat(pairs.indptr[:-1], counts) + 1
    is_last = np.zeros(len(pairs.age), np.bool_)
    is_last[pairs.indptr[1:] - 1] = True
    following = np.append(pairs.age[1:], 0)
    length = np.where(is_last, pairs.age, pairs.age - following).astype(np.int64)
    return product, nth, length, ~is_last


class Hazards:
    """Tables of trials and purchases by product, age and count, and the features read from them."""

    def fit(self, view: View) -> Self:
        """Count trials and events."""
        pairs = view.pairs
        self._pairs, self._products = pairs, view.products
        product, nth, length, bought = trials(pairs, view.products)
        count = _bucket(nth, COUNT_STARTS)
        ages, sizes, items = len(AGE_STARTS), len(COUNT_STARTS), view.products
        exposed = np.zeros((items, sizes, ages), np.float32)
        events = np.zeros((items, sizes, ages), np.float32)
        ends = np.append(AGE_STARTS[1:], np.iinfo(np.int32).max)
        cell = product.astype(np.int64) * sizes + count
        for bucket in range(ages):
            inside = np.clip(np.minimum(length + 1, ends[bucket]) - AGE_STARTS[bucket], 0, None)
            summed = np.bincount(cell, weights=inside, minlength=items * sizes)
            exposed[:, :, bucket] = summed.reshape(items, sizes)
        at = _bucket(np.maximum(length, 1), AGE_STARTS)
        np.add.at(events, (product[bought], count[bought], at[bought]), 1.0)
        overall = _rate(events.sum(axis=0), exposed.sum(axis=0), float(events.sum() / max(exposed.sum(), 1.0)), 1.0)
        self._overall = overall
        expected = (exposed * overall).sum(axis=(1, 2))
        self._lift = ((events.sum(axis=(1, 2)) + SHRINK * 0.1) / (expected + SHRINK * 0.1)).astype(np.float32)
        mean = float(events.sum() / max(exposed.sum(), 1.0))
        self._product = _rate(events.sum(axis=(1, 2)), exposed.sum(axis=(1, 2)), mean, SHRINK)
        by_age = (events.sum(axis=1), exposed.sum(axis=1), overall_by(events, exposed, 1))
        self._by_age = _rate(by_age[0], by_age[1], self._lift[:, None] * by_age[2], SHRINK)
        by_count = (events.sum(axis=2), exposed.sum(axis=2), overall_by(events, exposed, 2))
        self._by_count = _rate(by_count[0], by_count[1], self._lift[:, None] * by_count[2], SHRINK)
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """Hazards of products that the customer owns; of others only what the product says."""
        pair = self._pairs.find(candidates.customer, candidates.product, self._products)
        known = pair >= 0
        age = np.zeros(len(pair), np.int64)
        count = np.zeros(len(pair), np.int64)
        pairs = self._pairs
        age[known] = _bucket(pairs.age[pairs.indptr[pair[known] + 1] - 1].astype(np.int64) + 1, AGE_STARTS)
        count[known] = _bucket(pairs.counts[pair[known]], COUNT_STARTS)
        product = candidates.product
        return {
            "hazard_product": self._product[product],
            "hazard_lift": self._lift[product],
            "hazard_overall": np.where(known, self._overall[count, age], np.nan).astype(np.float32),
            "hazard_age": np.where(known, self._by_age[product, age], np.nan).astype(np.float32),
            "hazard_count": np.where(known, self._by_count[product, count], np.nan).astype(np.float32),
            "hazard": np.where(known, self._overall[count, age] * self._lift[product], np.nan).astype(np.float32),
        }


def overall_by(events: Floats, exposed: Floats, axis: int) -> Floats:
    """Rate of the whole assortment by the axis that is not summed."""
    summed = (events.sum(axis=(0, axis)), exposed.sum(axis=(0, axis)))
    rate: Floats = (summed[0] / np.maximum(summed[1], 1.0)).astype(np.float32)
    return rate


def _rate(events: Floats, exposed: Floats, prior: Floats | float, shrink: float) -> Floats:
    rate: Floats = ((events + shrink * prior) / (exposed + shrink)).astype(np.float32)
    return rate
