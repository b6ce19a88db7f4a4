"""Web interest: what the customer looked at, and what strangers look at in the same sessions."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints
from recommender.candidates.base import dense, neighbours_of, normalised, rows_of, scaled_rows
from recommender.candidates.items import binary, without_diagonal
from recommender.views import View

KIND_WEIGHT = np.array([1.0, 3.0, 2.0, 1.0, 3.0, 2.0], np.float32)
"""What one event of each of `dataset.INTEREST_KINDS` says about interest, a view being 1."""


def interest(view: View, half_life_days: float) -> sparse.csr_array:
    """Customers × products: events weighed by kind, halved every `half_life_days` before the moment asked about."""
    web = view.web
    known = web.customer >= 0
    customer, time = web.customer[known], web.time[known]
    days = np.maximum(view.moments[customer] - time, 0) / 86_400e6
    weight = KIND_WEIGHT[web.kind[known]] * np.exp2(-days / half_life_days)
    return sparse.csr_array(
        (weight.astype(np.float32), (customer, web.product[known])), shape=(view.customers, view.products)
    )


def session_similarity(view: View, k: int, prior: float = 5.0) -> sparse.csr_array:
    """Products × products: cosine of the sessions in which both were looked at, drawn to 0 by `prior` sessions."""
    web = view.web
    _, session = np.unique(web.session, return_inverse=True)
    shape = (int(session.max(initial=-1)) + 1, view.products)
    seen = binary(sparse.csr_array((np.ones(len(web), np.float32), (session, web.product)), shape=shape))
    together = seen.T.tocsr()
    frequency = np.diff(together.indptr).astype(np.float32)
    by_product = scaled_rows(together, 1.0 / np.sqrt(frequency + prior))
    return without_diagonal(neighbours_of(by_product, by_product, k + 1))


@dataclass
class WebInterest:
    """The customer's own decayed interest plus that of products seen in the same sessions."""

    half_life_days: float = 7.0
    neighbours: int = 100
    spread: float = 0.5
    name: str = "web"

    def fit(self, view: View) -> Self:
        """Collect interest and session neighbours before each customer's target."""
        self.looked_at = interest(view, self.half_life_days)
        self.similar = session_similarity(view, self.neighbours)
        self._share = normalised(self.looked_at, order=1)
        return self

    def score(self, customers: Ints) -> Floats:
        """Own interest + `spread` × session similarity to it."""
        share = rows_of(self._share, customers)
        return dense(rows_of(self.looked_at, customers)) + self.spread * dense((share @ self.similar).tocsr())
