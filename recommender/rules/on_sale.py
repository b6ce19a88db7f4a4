"""Only products on sale today: released, and not discontinued."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion


def on_sale(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away what was discontinued up to today or is released later than today."""
    catalogue = occasion.catalogue
    stays: Mask = (catalogue.discontinued_day[candidates.product] > occasion.day) & (
        catalogue.released_day[candidates.product] <= occasion.day
    )
    return stays
