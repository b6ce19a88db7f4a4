"""The same proposal is not made for ever: shown on several days without interest, a product rests."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion, less, numbers


def not_worn_out(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away what was shown on `fatigue_days` days of the last 60 and never met with interest."""
    enough = occasion.policy.fatigue_days
    worn = [p for p, shown in occasion.moment.shown.items() if shown.days >= enough and not shown.interest]
    return less(candidates, numbers(worn, occasion))
