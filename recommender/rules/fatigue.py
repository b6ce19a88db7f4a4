"""The same proposal is not made for ever: shown on several days without interest, a product rests."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion, less


def not_worn_out(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away what was shown on `fatigue_days` days of the last 60 and never met with interest."""
    enough = occasion.policy.fatigue_days
    shown = occasion.moment.shown.items()
    return less(candidates, {product for product, how in shown if how.days >= enough and not how.interest})
