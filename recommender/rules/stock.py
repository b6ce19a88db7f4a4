"""What this store does not have is not proposed; where nobody has counted, it may be there."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion, less


def in_stock(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away products whose last count in the store is nought or less."""
    return less(candidates, {product for product, quantity in occasion.stock.items() if quantity <= 0})
