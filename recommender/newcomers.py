"""What somebody buys first: a list for new customers, moved by the little that is known of them.

First baskets differ from all baskets, since offers draw new customers, and recent ones from old ones: the share of
recent first baskets is drawn towards that of all first baskets, and that towards the chain's. Each known attribute
(tier, gender, area, decade of birth) then raises or lowers a product by how much more often its bearers buy it,
naively multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.baskets import BasketTable, Floats, Ints
from recommender.candidates.base import nothing
from recommender.candidates.content import customer_tokens
from recommender.columns import EVIDENCE, SOURCES
from recommender.trained import RankedLists
from recommender.views import View

FEWEST = 50
"""First baskets below which they tell nothing."""
SETTLED = 0.25
"""Customers who first appear in this first part of the record were customers before it began."""
RECENT_DAYS = 56
CHAIN_PRIOR, RECENT_PRIOR, TOKEN_PRIOR = 500.0, 300.0, 1000.0
FEWEST_OF_TOKEN, MOST_TOKENS = 100, 60
KEEP = 40
AT_MOST = 100_000
"""New customers for whom a list of their own is kept; beyond that they get the chain's."""
BLOCK = 512


@dataclass(frozen=True)
class Newcomers:
    """`shares` of first baskets by product; `lift` tokens × products, in logarithms; `tokens` customers × tokens."""

    shares: Floats
    lift: Floats
    tokens: sparse.csr_array

    @classmethod
    def fit(cls, view: View, chain: Floats) -> Self:
        """From a view's baskets; `chain` is the expected share of all baskets (row 0 of `cold_shares`)."""
        tokens = customer_tokens(view.dataset.customers)
        return cls(first_shares(view.history, chain), *_lifts(view, tokens))

    def scores(self, customers: Ints) -> Floats:
        """Customers × products: the expected share of their first basket."""
        moved = np.asarray((self.tokens[customers] @ self.lift), np.float32)
        return np.asarray(self.shares * np.exp(moved), np.float32)


def first_shares(baskets: BasketTable, chain: Floats) -> Floats:
    """The expected share of a first basket by product; the chain's where too few first baskets are known."""
    if not len(baskets):
        return chain
    first = np.flatnonzero(np.diff(baskets.customer, prepend=-1))
    first = first[baskets.day[first] >= np.quantile(baskets.day, SETTLED)]
    if len(first) < FEWEST:
        return chain
    recent = first[baskets.day[first] > int(baskets.day.max()) - RECENT_DAYS]
    matrix = baskets.matrix(len(chain))
    ever = (_counts(matrix, first) + CHAIN_PRIOR * chain) / (len(first) + CHAIN_PRIOR)
    return np.asarray((_counts(matrix, recent) + RECENT_PRIOR * ever) / (len(recent) + RECENT_PRIOR), np.float32)


def _counts(matrix: sparse.csr_array, rows: NDArray[np.int64]) -> Floats:
    return np.asarray(matrix[rows].sum(axis=0), np.float32).ravel()


def _lifts(view: View, tokens: sparse.csr_array) -> tuple[Floats, sparse.csr_array]:
    """Log lift of each product among the baskets of each token's bearers, for tokens of enough baskets."""
    if not tokens.shape[1] or not len(view.history):
        return np.zeros((0, view.products), np.float32), nothing(view.customers, 0)
    baskets = np.asarray(tokens.T @ view.counts.astype(np.float32)).ravel()
    kept = np.argsort(-baskets, kind="stable")[:MOST_TOKENS]
    kept = np.sort(kept[baskets[kept] >= FEWEST_OF_TOKEN])
    mine: sparse.csr_array = tokens[:, kept].tocsr()
    bought = np.asarray((mine.T @ view.owned).todense(), np.float32)
    overall = np.asarray(view.owned.sum(axis=0), np.float32).ravel() / max(float(view.counts.sum()), 1.0)
    share = (bought + TOKEN_PRIOR * overall) / (baskets[kept][:, None] + TOKEN_PRIOR)
    return np.asarray(np.log(np.maximum(share, 1e-12) / np.maximum(overall, 1e-12)), np.float32), mine


def with_newcomers(lists: RankedLists, view: View, newcomers: Newcomers, seed: int) -> RankedLists:
    """The lists with a short one for each customer who has none but is known by an attribute."""
    described = np.diff(newcomers.tokens.indptr) > 0
    fresh = np.flatnonzero((np.diff(lists.indptr) == 0) & described)[:AT_MOST].astype(np.int32)
    if not len(fresh):
        return lists
    chance = np.random.default_rng(seed).random(view.products).astype(np.float32) * 1e-9
    products, chances = [], []
    for start in range(0, len(fresh), BLOCK):
        score = newcomers.scores(fresh[start : start + BLOCK])
        best = np.argsort(-(score + chance), axis=1)[:, :KEEP]
        products.append(best)
        chances.append(np.take_along_axis(score, best, axis=1))
    product, share = np.concatenate(products), np.concatenate(chances)
    width = product.shape[1]
    entries = product.size
    popular = SOURCES.index("popular")
    added: dict[str, NDArray[Any]] = {
        "product": product.ravel().astype(np.int32),
        "score": share.ravel().astype(np.float32),
        "probability": np.minimum(share.ravel(), 1.0).astype(np.float32),
        "is_new": np.ones(entries, np.bool_),
        "source": np.full(entries, popular, np.uint8),
        "evidence": np.full(entries, -1, np.int32),
        "evidence_kind": np.full(entries, EVIDENCE.index("popular"), np.uint8),
        "evidence_value": view.popularity[product.ravel()].astype(np.float32),
    }
    sizes = np.diff(lists.indptr)
    owner = np.concatenate([np.repeat(np.arange(len(lists)), sizes), np.repeat(fresh, width)])
    order = np.argsort(owner, kind="stable")
    sizes[fresh] = width
    columns = {
        column.name: np.concatenate([getattr(lists, column.name), added[column.name]])[order]
        for column in fields(lists)
        if column.name != "indptr"
    }
    return RankedLists(indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), **columns)
