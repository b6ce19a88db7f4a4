"""Without consent to profiling only what is popular and what goes with the things at hand may be proposed."""

from __future__ import annotations

import numpy as np

from recommender.candidate_set import GROUND, Candidates
from recommender.rules.base import Mask, Occasion

IMPERSONAL = np.isin(
    np.arange(len(GROUND)), [GROUND[name] for name in ("popular", "popular_here", "in_hand", "seen_with", "focus")]
)


def may_profile(consent: bool | None, default: bool) -> bool:
    """What the customer said; where nothing is known, what the chain has set."""
    return default if consent is None else consent


def consented(candidates: Candidates, occasion: Occasion) -> Mask | None:
    """Takes away whatever rests on the customer's own behaviour."""
    return None if occasion.may_profile else IMPERSONAL[candidates.ground]
