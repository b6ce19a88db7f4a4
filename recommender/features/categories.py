"""Features of the candidate's category: how much and how lately the customer buys there."""

from typing import Self

import numpy as np
import polars as pl
from scipy import sparse

from recommender.baskets import Floats, Ints
from recommender.candidates.base import dense, normalised, rows_of
from recommender.candidates.content import category_levels
from recommender.candidates.pool import Candidates
from recommender.columns import BRAND, CATEGORY
from recommender.dataset import Dataset
from recommender.views import View

LEVELS = 3


def product_groups(products: pl.DataFrame) -> dict[str, Ints]:
    """Name of a grouping → group of each product, -1 where unknown: category levels from the top, the leaf, the brand.

    Groupings that say the same as the one above are left out.
    """
    paths = [category_levels(category) for category in products[CATEGORY].to_list()]
    found: dict[str, Ints] = {}
    for level in range(LEVELS):
        found[f"level{level + 1}"] = _coded([path[level] if len(path) > level else None for path in paths])
    found["leaf"] = _coded([path[-1] if path else None for path in paths])
    found["brand"] = _coded(products[BRAND].to_list())
    distinct: dict[str, Ints] = {}
    for name, codes in found.items():
        if codes.max(initial=-1) > 0 and not any(np.array_equal(codes, other) for other in distinct.values()):
            distinct[name] = codes
    return distinct


def _coded(values: list[str | None]) -> Ints:
    ranked = pl.Series(values, dtype=pl.String).rank("dense").cast(pl.Int32) - 1
    codes: Ints = ranked.fill_null(-1).to_numpy()
    return codes


class GroupHabits:
    """Per grouping: share of the customer's purchases, recent share, and the product's weight within its group."""

    def __init__(self, dataset: Dataset) -> None:
        self._groups = product_groups(dataset.products)

    def fit(self, view: View) -> Self:
        """Pool histories by group."""
        self._tables: dict[str, tuple[sparse.csr_array, sparse.csr_array, sparse.csr_array, Floats]] = {}
        histories = [view.decayed(0.97), view.decayed(0.6)]
        for name, group in self._groups.items():
            known = np.flatnonzero(group >= 0)
            member = sparse.csr_array(
                (np.ones(len(known), np.float32), (known, group[known])), shape=(view.products, int(group.max()) + 1)
            )
            pooled = [(history @ member).tocsr() for history in histories]
            distinct = (view.owned.sign() @ member).tocsr()
            sold = np.bincount(group[known], weights=view.popularity[known], minlength=member.shape[1])
            share = np.where(group >= 0, view.popularity / np.maximum(sold[group], 1), np.nan).astype(np.float32)
            self._tables[name] = (normalised(pooled[0], order=1), normalised(pooled[1], order=1), distinct, share)
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """NaN where the group is unknown."""
        found: dict[str, Floats] = {}
        for name, (habit, recent, distinct, share) in self._tables.items():
            group = self._groups[name][candidates.product]
            unknown = group < 0
            for label, table in (("share", habit), ("recent", recent), ("distinct", distinct)):
                values = dense(rows_of(table, candidates.customers))[candidates.row, group]
                values[unknown] = np.nan
                found[f"{name}_{label}"] = values
            found[f"{name}_weight"] = share[candidates.product]
        return found
