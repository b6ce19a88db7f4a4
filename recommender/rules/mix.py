"""Among the first k of a mixed list stands something new, as long as there is anything new to propose."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Occasion

FROM = 3
"""Lists shorter than this are left as they are."""


def with_something_new(order: list[int], candidates: Candidates, occasion: Occasion, k: int) -> tuple[list[int], int]:
    """The order with the best new products raised to the end of the first k, and how many were raised."""
    is_new = candidates.is_new.tolist()
    wanted = occasion.policy.min_new - sum(is_new[entry] for entry in order[:k])
    raised = [entry for entry in order[k:] if is_new[entry]][: max(wanted, 0)] if k >= FROM else []
    if not raised:
        return order, 0
    others = [entry for entry in order if entry not in raised]
    place = k - len(raised)
    return others[:place] + raised + others[place:], len(raised)
