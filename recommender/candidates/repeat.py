"""Personal repeat purchase: what the customer keeps buying, recent baskets counting more."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.baskets import Floats, Ints
from recommender.candidates.base import dense, rows_of
from recommender.views import View


@dataclass
class PersonalFrequency:
    """Sum over the customer's baskets that held the product of decay ** age in baskets, per basket."""

    decay: float = 0.9
    name: str = "repeat"

    def fit(self, view: View) -> Self:
        """Count the baskets of the view."""
        self._scores = view.decayed(self.decay)
        self._per_basket = np.divide(1.0, np.maximum(view.counts, 1)).astype(np.float32)
        return self

    def score(self, customers: Ints) -> Floats:
        """Decayed frequency per basket, at most 1."""
        return dense(rows_of(self._scores, customers)) * self._per_basket[customers, None]
