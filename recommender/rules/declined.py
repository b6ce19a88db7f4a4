"""What the customer declined lately, or a clerk dismissed for this customer, rests."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.live_interest import DAY
from recommender.rules.base import Mask, Occasion, less


def not_declined(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away products declined within the policy's days, and dismissed ones until the dismissal runs out."""
    moment = occasion.moment
    since = occasion.now - occasion.policy.declined_days * DAY
    taken = {product for product, shown in moment.shown.items() if shown.declined and shown.declined >= since}
    taken |= {product for product, until in moment.dismissed.items() if until is None or until > occasion.now}
    return less(candidates, taken)
