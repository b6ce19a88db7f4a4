"""Candidates for the next look of a context, and what is known of each pair of context and candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints, Longs
from recommender.candidates.session_statistics import RULES, SessionStatistics, top
from recommender.candidates.session_table import Contexts

DECAY: Final = 0.7
SCORED: Final = 100
NEIGHBOURS: Final = 300
"""Sessions nearest to a context."""
DRAWN: Final = {
    "forward_last": 25, "recent_last": 25, "together_all": 25, "walk_all": 25, "near": 40, "forward_all": 30,
    "backward_last": 10,
}  # fmt: skip
"""How many candidates each scorer brings."""
POPULAR: Final = 10
SCORES: Final = (*(f"{rule}_{reach}" for rule in RULES for reach in ("last", "all")), "near")
FEATURES: Final = (
    *SCORES, "since", "times", "first", "length", "distinct", "same_as_before", "looks", "lately", "again",
    "last_looks", "last_again", "looks_per_visit", "rank_near",
)  # fmt: skip


@dataclass(frozen=True)
class Pairs:
    """Pairs of context `row` and candidate `product`, ascending, with `values` pairs × FEATURES, float32."""

    row: Longs
    product: Ints
    values: Floats


def pairs(statistics: SessionStatistics, contexts: Contexts) -> Pairs:
    """Candidates and features of a batch of contexts (some thousands at most, to bound memory)."""
    n, products = len(contexts), len(statistics.looks)
    row, product = contexts.row, contexts.product
    since = contexts.indptr[1:][row] - 1 - np.arange(len(product))
    weight = np.power(np.float32(DECAY), since).astype(np.float32)
    latest = contexts.indptr[1:] - 1
    every = sparse.csr_array((weight, (row, product)), shape=(n, products))
    last = sparse.csr_array((np.ones(n, np.float32), (np.arange(n), product[latest])), shape=(n, products))
    scores = {}
    for rule in RULES:
        table = getattr(statistics, rule)
        scores[f"{rule}_last"] = top(sparse.csr_array(last @ table), SCORED)
        scores[f"{rule}_all"] = top(sparse.csr_array(every @ table), SCORED)
    scores["near"] = near_sessions(statistics, every)

    drawn = [row.astype(np.int64) * products + product]
    for name, k in DRAWN.items():
        best = top(scores[name], k)
        drawn.append(np.repeat(np.arange(n), np.diff(best.indptr)) * np.int64(products) + best.indices)
    popular = np.argsort(-statistics.lately, kind="stable")[:POPULAR]
    drawn.append((np.arange(n)[:, None] * np.int64(products) + popular).ravel())
    key = np.unique(np.concatenate(drawn))
    of, candidate = key // products, (key % products).astype(np.int32)

    values = np.empty((len(key), len(FEATURES)), np.float32)
    for column, name in enumerate(SCORES):
        values[:, column] = lookup(scores[name], key)
    begun = len(SCORES)
    values[:, begun : begun + 3] = reminders(row, product, since, key, products)
    own = np.unique(row.astype(np.int64) * products + product)
    before = np.zeros(n, np.bool_)
    several = np.flatnonzero(np.diff(contexts.indptr) > 1)
    before[several] = product[latest[several]] == product[latest[several] - 1]
    ending = product[latest]
    for column, column_values in enumerate(
        (
            np.diff(contexts.indptr)[of],
            np.bincount(own // products, minlength=n)[of],
            before[of],
            np.log1p(statistics.looks[candidate]),
            np.log1p(statistics.lately[candidate]),
            statistics.again[candidate],
            np.log1p(statistics.looks[ending])[of],
            statistics.again[ending][of],
            statistics.looks[candidate] / np.maximum(statistics.visits[candidate], 1.0),
            ranks(of, values[:, begun - 1]),
        ),
        start=begun + 3,
    ):
        values[:, column] = column_values
    return Pairs(of, candidate, values)


def near_sessions(statistics: SessionStatistics, every: sparse.csr_array) -> sparse.csr_array:
    """Contexts × products: what the nearest past sessions looked at, by similarity and recency of the sessions.

    Session k-nearest-neighbours with decayed, rarity-weighted contexts (Ludewig & Jannach 2018, V-SKNN).
    """
    total = max(statistics.sessions.shape[0], 1)
    rarity = np.log1p(total / np.maximum(statistics.visits, 1.0)).astype(np.float32)
    asked = sparse.csr_array((every.data * rarity[every.indices], every.indices, every.indptr), shape=every.shape)
    alike = sparse.csr_array(asked @ statistics.by_product)
    alike.data *= statistics.standing[alike.indices]
    return top(sparse.csr_array(top(alike, NEIGHBOURS) @ statistics.sessions), SCORED)


def lookup(table: sparse.csr_array, key: Longs) -> Floats:
    """Entries of a contexts × products table at the keys context × products + product; 0 where there is none."""
    table.sort_indices()
    held = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr)) * np.int64(table.shape[1]) + table.indices
    if not len(held):
        return np.zeros(len(key), np.float32)
    place = np.minimum(np.searchsorted(held, key), len(held) - 1)
    return np.where(held[place] == key, table.data[place], 0.0).astype(np.float32)


def reminders(row: Ints, product: Ints, since: Longs, key: Longs, products: int) -> Floats:
    """How many looks ago a candidate was last and first looked at (-1 never), and how often."""
    order = np.lexsort((since, product, row))
    own = row[order].astype(np.int64) * products + product[order]
    seen, first, times = np.unique(own, return_index=True, return_counts=True)
    longest = np.maximum.reduceat(since[order], first)
    place = np.minimum(np.searchsorted(seen, key), len(seen) - 1)
    known = seen[place] == key
    return np.stack(
        [
            np.where(known, since[order][first][place], -1),
            np.where(known, times[place], 0),
            np.where(known, longest[place], -1),
        ],
        axis=1,
    ).astype(np.float32)


def ranks(row: Longs, score: Floats) -> Floats:
    """The rank of each candidate within its context, 0 for the best."""
    order = np.lexsort((-score, row))
    begin = np.searchsorted(row[order], row[order])
    found = np.empty(len(row), np.float32)
    found[order] = np.arange(len(row)) - begin
    return found


def plain_score(values: Floats) -> Floats:
    """Reminders first, latest first, then what the nearest sessions say: what a ranker has to beat."""
    since, near = values[:, FEATURES.index("since")], values[:, FEATURES.index("near")]
    return np.where(since >= 0, 1e3 - since, near).astype(np.float32)
