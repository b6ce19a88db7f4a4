"""What was bought just now is not proposed again, unless it is a product people buy again and again."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.live_interest import DAY
from recommender.moment import Bought
from recommender.rules.base import Mask, Occasion, less

WORN_OUT = 0.5
"""A repeat product may come back after this part of the customer's own usual interval."""


def not_just_bought(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away what is at hand, and what was bought in the last days and is not due again."""
    taken = set(occasion.held)
    since = occasion.now - occasion.policy.just_bought_days * DAY
    for product, bought in occasion.moment.bought.items():
        if bought.last >= since and not _due_again(product, bought, occasion):
            taken.add(product)
    return less(candidates, taken)


def _due_again(product: int, bought: Bought, occasion: Occasion) -> bool:
    age = occasion.now - bought.last
    if age < DAY:
        return False
    if bought.days > 1:
        return age >= WORN_OUT * (bought.last - bought.first) / (bought.days - 1)
    shares = occasion.repeat_share
    return len(shares) > product and float(shares[product]) >= occasion.policy.repeat_share
