"""What every rule sees, and how a rule says what it takes away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.acceptance import Acceptance
from recommender.candidate_set import Candidates
from recommender.catalogue import Campaign, Catalogue
from recommender.moment import Moment
from recommender.requests import Policy

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Occasion:
    """One customer in one store at one moment. `now` is in microseconds UTC, `day` counts days since 1970-01-01 on
    the store's calendar; `held` are the products at hand; `repeat_share` is the share of a product's buyers who
    bought it again, by product, empty where the version does not know.
    """

    now: int
    day: int
    store_id: str
    moment: Moment
    catalogue: Catalogue
    policy: Policy
    may_profile: bool
    held: frozenset[int]
    campaigns: tuple[Campaign, ...]
    repeat_share: NDArray[np.float32]
    acceptance: Acceptance = field(default_factory=Acceptance)
    stock: dict[int, float] = field(default_factory=dict)
    """The last counts of the candidates looked at so far, by product."""


class Rule(Protocol):
    """Takes candidates away."""

    def __call__(self, candidates: Candidates, occasion: Occasion) -> Mask | None:
        """True for those that stay; None where all do."""
        ...


def less(candidates: Candidates, taken: Collection[int]) -> Mask | None:
    """The mask that takes some products away. Candidates are few here, so a set is quicker than NumPy's isin."""
    if not taken:
        return None
    return np.array([product not in taken for product in candidates.product.tolist()], np.bool_)
