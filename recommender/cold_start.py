"""How good the lists are where there is no history, each case against popularity: kept in a version's manifest.

The last fifth of the record (by baskets) is put aside; what a new customer bought first there, and who bought a product
that was first sold there, is foretold from what was known before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.baskets import BasketTable, Floats, Ints
from recommender.batch import cold_shares
from recommender.candidates.content import has_content
from recommender.candidates.web import session_similarity
from recommender.dataset import Dataset, WebTable
from recommender.live_interest import RATES
from recommender.metrics import bootstrap
from recommender.new_products import suitability
from recommender.newcomers import Newcomers
from recommender.serving_facts import live_rates
from recommender.views import View

K = 10
PART = 0.8
FEWEST = 50
MOST = 2000
FEW_VIEWS = 5
DAY = 86_400_000_000
NEIGHBOURS = 50
CELLS = 4_000_000
"""Customers × products scored at once; bounds the memory."""


def cold_start_report(dataset: Dataset, seed: int = 0) -> list[dict[str, Any]]:
    """One entry per case that can be measured: case, n, recall@10 with its 95 % interval, popularity's, and the paired
    interval of the lead over popularity.

    Cases: nothing known, demographics only, a few web views (the last FEW_VIEWS before the first
    basket), and new products (features only, ranked among themselves for customers with a history).
    """
    baskets = dataset.carded
    if len(baskets) < FEWEST:
        return []
    cut = int(np.quantile(baskets.day, PART))
    past = known_before_day(dataset, cut)
    view = View.of(past, 0)
    if not len(past.carded):
        return []
    random = np.random.default_rng(seed)
    first = np.flatnonzero(np.diff(baskets.customer, prepend=-1))
    first = first[baskets.day[first] >= cut]
    first = np.sort(random.choice(first, MOST, replace=False)) if len(first) > MOST else first
    chance = random.random(view.products) * 1e-9
    newcomers = Newcomers.fit(view, cold_shares(view)[0])
    popular = view.popularity / max(float(view.popularity.max(initial=0.0)), 1.0)
    bare = Newcomers(newcomers.shares, newcomers.lift[:0], newcomers.tokens[:, :0])

    def foretold(scores: Callable[[Ints], Floats], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        size = max(1, CELLS // max(view.products, 1))
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        return np.concatenate([recall(scores(baskets.customer[part]), baskets, part, chance) for part in parts])

    def everybody(customers: Ints) -> Floats:
        return np.broadcast_to(popular, (len(customers), len(popular))).astype(np.float32)

    described = np.diff(newcomers.tokens.indptr)[baskets.customer[first]] > 0
    looked = _looked_at(dataset, first)
    some = np.isin(baskets.customer[first], list(looked))
    cases = {
        "nothing": (first, bare.scores),
        "demographics": (first[described], newcomers.scores),
        "web": (first[some], WebNewcomers(past, view, newcomers, looked).scores),
    }
    found = []
    for case, (chosen, scores) in cases.items():
        if len(chosen) >= FEWEST:
            found.append(_entry(case, foretold(scores, chosen), foretold(everybody, chosen), seed))
    if (judged := _new_products(dataset, view, cut, chance)) is not None:
        found.append(_entry("new_products", *judged, seed))
    return found


def known_before_day(dataset: Dataset, day: int) -> Dataset:
    """The record before a local day; its customers and products stay, those of later as strangers."""
    web = dataset.web
    keep = web.time < day * DAY - DAY // 2  # clear of the day in every zone
    return replace(
        dataset,
        carded=dataset.carded.where(dataset.carded.day < day),
        uncarded=dataset.uncarded.where(dataset.uncarded.day < day),
        web=WebTable(web.customer[keep], web.session[keep], web.product[keep], web.time[keep], web.kind[keep]),
    )


def recall(
    scores: Floats, baskets: BasketTable, chosen: NDArray[np.int64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """recall@10 of each chosen basket by the row of its customer, ties by chance."""
    top = best_of(scores + chance)
    values = np.empty(len(chosen))
    for row, basket in enumerate(chosen.tolist()):
        bought = baskets.product[baskets.indptr[basket] : baskets.indptr[basket + 1]]
        values[row] = np.isin(top[row], bought).sum() / len(bought)
    return values


def best_of(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The columns of the K largest values of each row, in no order."""
    return np.argpartition(-scores, min(K, scores.shape[1] - 1), axis=1)[:, :K]


class WebNewcomers:
    """New customers by what they looked at before their first basket, beside what newcomers buy anyway.

    As in serving: what was looked at is bought at the measured rate of a view, what is looked at along with it at that
    rate times the likeness of their sessions.
    """

    def __init__(self, past: Dataset, view: View, newcomers: Newcomers, looked: dict[int, Ints]) -> None:
        self._newcomers, self._products, self._looked = newcomers, view.products, looked
        self._rate = live_rates(past).get("view", RATES["view"])
        self._similar = session_similarity(view, NEIGHBOURS)

    def scores(self, customers: Ints) -> Floats:
        """Customers × products."""
        scores = self._newcomers.scores(customers)
        for row, customer in enumerate(customers.tolist()):
            seen = self._looked.get(customer, np.zeros(0, np.int32))
            near = np.asarray(self._similar[seen].sum(axis=0)).ravel() if len(seen) else np.zeros(self._products)
            interest = self._rate * np.minimum(near, 1.0)
            interest[seen] = self._rate
            scores[row] = 1 - (1 - np.minimum(scores[row], 1.0)) * (1 - interest)
        return scores


def _looked_at(dataset: Dataset, first: NDArray[np.int64]) -> dict[int, Ints]:
    """The last FEW_VIEWS products that each customer looked at before his first basket; nobody who looked at none."""
    until = np.zeros(len(dataset.customer_ids) + 1, np.int64)
    until[dataset.carded.customer[first]] = dataset.carded.time[first]
    web = dataset.web
    early = np.flatnonzero((web.customer >= 0) & (web.time < until[web.customer]))
    order = early[np.lexsort((web.time[early], web.customer[early]))]
    owners, starts = np.unique(web.customer[order], return_index=True)
    if not len(owners):
        return {}
    parts = np.split(web.product[order], starts[1:])
    return {int(owner): np.unique(part[-FEW_VIEWS:]) for owner, part in zip(owners, parts, strict=True)}


def _new_products(
    dataset: Dataset, view: View, cut: int, chance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """recall@10 among the products first sold after the cut, of customers with a history who bought such a product."""
    baskets = dataset.carded
    later = baskets.where(baskets.day >= cut)
    unsold = view.popularity == 0
    line_customer = later.customer[later.line_basket]
    mine = unsold[later.product] & (view.counts[line_customer] > 0)
    offered = np.unique(later.product[mine]).astype(np.int64)
    pairs = np.unique(line_customer[mine].astype(np.int64) * view.products + later.product[mine])
    customers, sizes = np.unique(pairs // view.products, return_counts=True)
    most = min(MOST, max(FEWEST, CELLS // max(len(offered), 1)))
    if len(customers) > most:
        some = np.sort(np.random.default_rng(0).choice(len(customers), most, replace=False))
        customers, sizes = customers[some], sizes[some]
    if len(customers) < FEWEST or len(offered) <= 2 * K or not has_content(dataset.products):
        return None
    features = suitability(view.owned[customers], view.dataset.products, offered)
    together = sparse.csr_array(np.asarray(view.owned.sum(axis=0), np.float32).reshape(1, -1))
    chain = suitability(together, view.dataset.products, offered)
    values = []
    for scores in (features, np.broadcast_to(chain, features.shape)):
        top = offered[best_of(scores + chance[offered])]
        hits = np.isin(customers[:, None] * view.products + top, pairs)
        values.append(hits.sum(axis=1) / sizes)
    return values[0], values[1]


def _entry(case: str, ours: NDArray[np.float64], popular: NDArray[np.float64], seed: int) -> dict[str, Any]:
    low, high = bootstrap(ours, seed, 200)
    lead_low, lead_high = bootstrap(ours - popular, seed, 200)
    figures = {
        "value": float(ours.mean()), "low": low, "high": high, "popularity": float(popular.mean()),
        "lead_low": lead_low, "lead_high": lead_high,
    }  # fmt: skip
    return {"case": case, "n": len(ours)} | {name: round(value, 4) for name, value in figures.items()}
