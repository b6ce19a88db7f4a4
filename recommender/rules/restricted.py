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
    ids, bought = occasion.ids, occasion.moment.bought
    own = [
        occasion.may_profile and bool(is_restricted) and ids[product] in bought
        for product, is_restricted in zip(candidates.product.tolist(), restricted, strict=True)
    ]
    stays: Mask = ~restricted | np.array(own, np.bool_)
    return stays
