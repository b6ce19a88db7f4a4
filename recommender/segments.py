"""How good the lists are for whom: the validation view's figures by history, tier, store and category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.baskets import Flags, Floats, Longs
from recommender.columns import CATEGORY
from recommender.examples import Scene
from recommender.metrics import bootstrap, judge
from recommender.views import View

K = 10
KINDS = ("all", "repeat", "explore")
SAMPLES = 200
FEWEST = 20
"""Customers below which a segment is left out: its figure would be chance."""
MOST_GROUPS = 20
NEW, REGULAR = 2, 10
"""Up to so many baskets a customer is new; from so many on, a regular."""
Labels = NDArray[np.str_]


@dataclass(frozen=True)
class Hits:
    """The first K of every customer's list: whether bought, which product (-1 beyond the end), and what to reach."""

    hit: Flags
    product: NDArray[np.int32]
    targets: Longs


def segment_metrics(view: View, scene: Scene, scores: Mapping[str, Floats], seed: int = 0) -> dict[str, Any]:
    """Figures of the lists that `scores` (all, explore: one score per candidate of `scene`) make of the scene.

    Returns ``{dimension: [{segment, n, all|repeat|explore: {recall@10|ndcg@10: {value, low, high}}}]}`` with the
    dimensions overall, history, tier, store (of the last basket) and category (recall of what was bought of it, among
    those who bought of it). n counts the customers who bought next; intervals are 95 % bootstraps over them.
    """
    lists = {kind: best_of(scene, scores["explore" if kind == "explore" else "all"], kind, seed) for kind in KINDS}
    dimensions = {"overall": np.full(len(scene.customers), "", np.str_), "history": _history(view, scene)}
    dimensions |= {name: labels for name in ("tier",) if (labels := _master(view, scene, name)) is not None}
    dimensions["store"] = _stores(view, scene)
    found = {name: _by_label(labels, lists, seed) for name, labels in dimensions.items()}
    if by_category := _categories(view, scene, lists["all"], seed):
        found["category"] = by_category
    return found


def best_of(scene: Scene, score: Floats, kind: str, seed: int) -> Hits:
    """The first K candidates of a kind by score, ties by chance; what to reach is what was bought of that kind."""
    allowed = np.ones(len(score), np.bool_) if kind == "all" else scene.owned == (kind == "repeat")
    told = np.where(allowed, score + np.random.default_rng(seed).random(len(score)) * 1e-9, -np.inf)
    indptr, rows = scene.indptr, len(scene.customers)
    row = np.repeat(np.arange(rows), np.diff(indptr))
    order = np.lexsort((-told, row))
    rank = np.arange(len(told)) - indptr[row]
    top = (rank < K) & np.isfinite(told[order])
    hit = np.zeros((rows, K), np.bool_)
    product = np.full((rows, K), -1, np.int32)
    hit[row[top], rank[top]] = scene.examples.bought[order[top]]
    product[row[top], rank[top]] = scene.product[order[top]]
    targets = {"all": scene.targets, "explore": scene.new_targets, "repeat": scene.targets - scene.new_targets}
    return Hits(hit, product, targets[kind])


def _by_label(labels: Labels, lists: Mapping[str, Hits], seed: int) -> list[dict[str, Any]]:
    """One entry per label, the largest first; small ones are joined as ``other``."""
    names, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_GROUPS]
    kept = {str(names[i]) for i in order if counts[i] >= FEWEST}
    labels = np.array([name if name in kept else "other" for name in labels.tolist()])
    out = []
    for name in [*(str(names[i]) for i in order if str(names[i]) in kept), "other"]:
        mine = labels == name
        if mine.sum() < FEWEST:
            continue
        entry: dict[str, Any] = {"segment": name, "n": int(mine.sum())}
        for kind, found in lists.items():
            judged = judge(found.hit[mine], found.targets[mine], (K,)).values
            some = len(judged[f"recall@{K}"])
            if some >= FEWEST:
                entry[kind] = {"n": some} | {
                    name: interval(judged[name], seed) for name in (f"recall@{K}", f"ndcg@{K}")
                }
        out.append(entry)
    return out


def interval(values: NDArray[np.float64], seed: int) -> dict[str, float]:
    """Mean and 95 % bootstrap interval, rounded for the manifest."""
    low, high = bootstrap(values, seed, SAMPLES)
    return {"value": round(float(values.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def _history(view: View, scene: Scene) -> Labels:
    counts = view.counts[scene.customers]
    return np.where(counts <= NEW, "new", np.where(counts >= REGULAR, "regular", "occasional"))


def _master(view: View, scene: Scene, column: str) -> Labels | None:
    if column not in view.dataset.customers.columns:
        return None
    values = view.dataset.customers[column].cast(pl.String).fill_null("unknown")
    return np.asarray(values.gather(scene.customers).to_list(), np.str_)


def _stores(view: View, scene: Scene) -> Labels:
    """The store of each customer's last basket before the target."""
    names = np.asarray([*view.dataset.store_ids, "unknown"], np.str_)
    known = view.counts[scene.customers] > 0
    store = np.full(len(scene.customers), -1, np.int64)
    store[known] = view.history.store[view.ends[scene.customers[known]] - 1]
    return np.asarray(names[store], np.str_)


def _categories(view: View, scene: Scene, found: Hits, seed: int) -> list[dict[str, Any]]:
    """Recall of what was bought of each top category, per customer who bought of it."""
    if CATEGORY not in view.dataset.products.columns or view.dataset.products[CATEGORY].null_count() == view.products:
        return []
    paths = view.dataset.products[CATEGORY].fill_null("unknown").str.split(" > ").list.first()
    names, codes = np.unique(np.asarray(paths.to_list(), np.str_), return_inverse=True)
    row = np.full(view.customers, -1, np.int64)
    row[scene.customers] = np.arange(len(scene.customers))
    buyer = row[view.target.customer[view.target.line_basket]]
    inside = buyer >= 0
    shape = (len(scene.customers), len(names))
    bought, reached = np.zeros(shape), np.zeros(shape)
    np.add.at(bought, (buyer[inside], codes[view.target.product[inside]]), 1)
    hit_row, _ = np.nonzero(found.hit)
    np.add.at(reached, (hit_row, codes[found.product[found.hit]]), 1)
    out = []
    for number in np.argsort(-(bought > 0).sum(axis=0), kind="stable")[:MOST_GROUPS]:
        some = bought[:, number] > 0
        if some.sum() < FEWEST:
            continue
        recall = reached[some, number] / bought[some, number]
        n = int(some.sum())
        out.append({"segment": str(names[number]), "n": n, "all": {"n": n, f"recall@{K}": interval(recall, seed)}})
    return out
