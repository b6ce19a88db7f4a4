"""Precedents: what those did who once stood where the customer stands now.

Of the past states nearest to the customer's, those who owned the product tell how often it is bought again at once, and
those who did not, how often it is tried. Both are rates among alike customers, where a hazard knows the product alone.
"""

from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats
from recommender.candidates.base import CandidateModel, dense, normalised, rows_of
from recommender.candidates.pool import Candidates
from recommender.candidates.states import StateNeighbours, past_states
from recommender.views import View

WANTED = ("states", "states/.95")
EVER = 0.9999
"""A decay that forgets nothing: what was owned before a past basket."""
CELLS = 20_000_000
"""Most state × product entries of ownership held; beyond, a part of the states bears witness for all."""
PRIOR = 0.1
OWNERS, STRANGERS = 0.02, 0.01
"""Weights of the prior among owners, and of none among those who did not own, in shares of the neighbourhood."""


class Precedents:
    """Rates of buying again and of trying among the nearest past states of each wanted size of neighbourhood."""

    def __init__(self, models: list[CandidateModel]) -> None:
        self._models = [model for model in models if isinstance(model, StateNeighbours) and model.name in WANTED]

    def fit(self, view: View) -> Self:
        """Split what followed each state into what was owned by then and what was not; the models are fitted."""
        if not self._models:
            return self
        model = self._models[0]
        owned, followed = past_states(view, EVER, model.limit, model.seed)
        owned.data = np.ones_like(owned.data)
        if owned.nnz > CELLS:
            heard = np.random.default_rng(model.seed).random(owned.shape[0]) < CELLS / owned.nnz
            silenced = sparse.diags_array(heard.astype(np.float32))
            owned = sparse.csr_array(silenced @ owned)
            owned.eliminate_zeros()
        self._owned = owned
        self._next = rows_of(view.basket_matrix, followed)
        self._again: sparse.csr_array = sparse.csr_array(self._next.multiply(owned)).astype(np.float32)
        return self

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """Three rates for each wanted model."""
        found: dict[str, Floats] = {}
        row, product = candidates.row, candidates.product
        for model in self._models:
            near = normalised(model.nearest(candidates.customers), order=1)
            again = dense((near @ self._again).tocsr())[row, product]
            owners = dense((near @ self._owned).tocsr())[row, product]
            bought = dense((near @ self._next).tocsr())[row, product]
            found[f"precedent_owners_{model.name}"] = owners
            found[f"precedent_again_{model.name}"] = (again + OWNERS * PRIOR) / (owners + OWNERS)
            found[f"precedent_tried_{model.name}"] = (bought - again) / (1 - owners + STRANGERS)
        return found
