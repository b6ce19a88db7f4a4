"""The best candidates after the rules have taken theirs away, in as few reads as that needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.candidate_set import Candidates, join
from recommender.gathering import Gathered
from recommender.moment import Moment
from recommender.requests import EXPLORE, REPEAT, Kind, Policy
from recommender.rules import REMOVING
from recommender.rules.base import Occasion

LENGTH: Final = 40
GOLDEN: Final = 2_654_435_769
"""2^32 / golden ratio: spreads consecutive numbers evenly (Knuth, TAOCP 3, 6.4)."""


@dataclass(frozen=True)
class Shortlist:
    """Candidates that passed the rules, best score first, and how many each rule took away."""

    candidates: Candidates
    score: NDArray[np.float64]
    occasion: Occasion
    removed: Counter[str]


def shortlist(
    gathered: Gathered, *, wanted: int, kind: Kind, policy: Policy,
    look: Callable[[Sequence[int], Moment | None], Occasion],
) -> Shortlist:  # fmt: skip
    """Take the best LENGTH candidates at a time through the rules until `wanted` have passed.

    `look` reads the moment for some products; given an earlier moment it reads their stock only.
    """
    removed: Counter[str] = Counter()
    source = gathered.everything
    pool = by_worth(source, kind, policy)
    head, rest = pool[:LENGTH], pool[LENGTH:]
    candidates = source.take(head)
    occasion = look(candidates.product.tolist(), None)
    if not occasion.may_profile:
        removed["consent"] += gathered.personal
        source = gathered.impersonal()
        pool = by_worth(source, kind, policy)
        head, rest = pool[:LENGTH], pool[LENGTH:]
        candidates = source.take(head)
        occasion = look(candidates.product.tolist(), occasion.moment)
    passed = through_rules(candidates, occasion, kind, removed)
    while len(passed) < wanted and len(rest):
        candidates = source.take(rest[:LENGTH])
        rest = rest[LENGTH:]
        occasion = look(candidates.product.tolist(), occasion.moment)
        passed = join([passed, through_rules(candidates, occasion, kind, removed)])
    score = worth(passed, policy)
    order = np.argsort(-score)
    return Shortlist(passed.take(order), score[order], occasion, removed)


def worth(candidates: Candidates, policy: Policy) -> NDArray[np.float64]:
    """Probability times the value of the purchase; ties are broken by a fixed shuffle of the products, never by id."""
    value = np.where(candidates.is_new, policy.first_purchase_value, 1.0)
    shuffle = (candidates.product.astype(np.uint32) * np.uint32(GOLDEN)).astype(np.float64)
    return candidates.probability * value * (1.0 + 1e-18 * shuffle) + 1e-22 * shuffle


def by_worth(candidates: Candidates, kind: Kind, policy: Policy) -> NDArray[np.int64]:
    """Positions of the candidates of a kind as far as training knows, best first."""
    order = np.argsort(-worth(candidates, policy))
    if kind == EXPLORE:
        order = order[candidates.is_new[order]]
    return order


def through_rules(candidates: Candidates, occasion: Occasion, kind: Kind, removed: Counter[str]) -> Candidates:
    """What the rules leave; purchases since the training make a product known."""
    bought = occasion.moment.bought
    if occasion.may_profile and bought:
        ids = occasion.ids
        known = np.array([ids[product] in bought for product in candidates.product.tolist()], np.bool_)
        candidates = replace(candidates, is_new=candidates.is_new & ~known)
    if kind != "all":
        candidates = candidates.take(candidates.is_new == (kind != REPEAT))
    for name, rule in REMOVING:
        stays = rule(candidates, occasion)
        if stays is None or stays.all():
            continue
        removed[name] += int(len(stays) - stays.sum())
        candidates = candidates.take(stays)
    return candidates
