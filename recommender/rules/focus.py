"""Focus merchandise gets its slot where it does not displace something much better."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.candidate_set import Candidates
from recommender.rules.base import Mask, Occasion


def is_focus(candidates: Candidates, occasion: Occasion) -> Mask:
    """Which candidates are focus merchandise of a campaign that runs here today."""
    focus = np.zeros(len(candidates), np.bool_)
    for campaign in occasion.campaigns:
        focus |= campaign.focus[candidates.product]
    return focus


def with_focus(
    order: list[int], candidates: Candidates, occasion: Occasion, k: int, score: NDArray[np.float64]
) -> tuple[list[int], int]:
    """The order with focus merchandise raised into its slots at the end of the first k, and how many were raised.

    Only first purchases count for a campaign. A product is raised if it scores at least `focus_worth` of the one
    it displaces.
    """
    if not occasion.campaigns:
        return order, 0
    counts = is_focus(candidates, occasion) & candidates.is_new
    wanted = min(occasion.policy.focus_slots, k) - int(sum(counts[entry] for entry in order[:k]))
    raised = 0
    for entry in [entry for entry in order[k:] if counts[entry]][: max(wanted, 0)]:
        place = k - 1 - raised
        if place < 0 or score[entry] < occasion.policy.focus_worth * score[order[place]]:
            break
        order = [other for other in order if other != entry]
        order.insert(place, entry)
        raised += 1
    return order, raised
