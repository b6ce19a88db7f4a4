"""Features of the strongest single link: how alike the candidate is to the one product of his it resembles most."""

from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats
from recommender.candidates.base import CandidateModel, rows_of
from recommender.candidates.content import Content
from recommender.candidates.items import ItemNeighbourModel
from recommender.candidates.pool import Candidates
from recommender.views import View

RECENT = 0.6
"""Decay that weighs links through the last baskets."""


def largest_links(history: sparse.csr_array, similar: sparse.csr_array) -> Floats:
    """Rows × products: the largest product of history weight and similarity, 0 where there is none."""
    rows, products = history.shape[0], similar.shape[1]
    owner = np.repeat(np.arange(rows, dtype=np.int64), np.diff(history.indptr))
    links = rows_of(similar, history.indices)
    reach = np.diff(links.indptr)
    best = np.zeros(rows * products, np.float32)
    np.maximum.at(best, np.repeat(owner, reach) * products + links.indices, links.data * np.repeat(history.data, reach))
    return best.reshape(rows, products)


class Links:
    """Strongest link to anything owned and, weighed by decay, to the last baskets, for each item-item model."""

    WANTED = ("cosine", "bm25", "baskets", "content")

    def __init__(self, models: list[CandidateModel]) -> None:
        self._models = [model for model in models if model.name in self.WANTED]

    def fit(self, view: View) -> Self:
        """Take the histories; the models are fitted already."""
        ever = view.owned
        self._ever = sparse.csr_array((np.ones(ever.nnz, np.float32), ever.indices, ever.indptr), shape=ever.shape)
        self._recent = view.decayed(RECENT)
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """NaN where nothing links."""
        found: dict[str, Floats] = {}
        for model in self._models:
            similar = model.likeness if isinstance(model, Content) else None
            if isinstance(model, ItemNeighbourModel):
                similar = model.similar
            assert similar is not None
            histories = {"link": self._ever} if model.name != "baskets" else {"link_recent": self._recent}
            for name, history in histories.items():
                best = largest_links(rows_of(history, candidates.customers), similar)
                values = best[candidates.row, candidates.product]
                found[f"{name}_{model.name}"] = np.where(values > 0, values, np.nan).astype(np.float32)
        return found
