"""Age-restricted and sensitive goods are never proposed from inference, only to those who bought the very product."""

from __future__ import annotations

import numpy as np

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion


def allowed(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away restricted products the customer has not bought; without consent that is not looked up."""
    restricted = occasion.catalogue.restricted[candidates.product]
    if not restricted.any():
        return None
    bought = occasion.moment.bought if occasion.may_profile else {}
    stays: Mask = ~restricted | np.array([product in bought for product in candidates.product.tolist()], np.bool_)
    return stays
