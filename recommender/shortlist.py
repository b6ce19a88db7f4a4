"""The best candidates after the rules have taken theirs away, in as few reads as that needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.candidate_set import Candidates, join
from recommender.live_interest import WEB
from recommender.requests import EXPLORE, REPEAT, Kind
from recommender.rules import REMOVING
from recommender.rules.base import Occasion

LENGTH: Final = 24
"""The usual set wants 15, five to show and ten to explore; each candidate more costs a look at its stock."""
GOLDEN: Final = 2_654_435_769
"""2^32 / golden ratio: spreads consecutive numbers evenly (Knuth, TAOCP 3, 6.4)."""


@dataclass(frozen=True)
class Shortlist:
    """Candidates that passed the rules, best score first, and how many each rule took away.

    `accepted` is the chance that a proposal of each is accepted, `score` that chance times its value.
    """

    candidates: Candidates
    accepted: NDArray[np.float64]
    score: NDArray[np.float64]
    occasion: Occasion
    removed: Counter[str]


def shortlist(
    source: Candidates,
    occasion: Occasion,
    *,
    wanted: int,
    kind: Kind,
    read_stock: Callable[[list[str]], dict[str, float]],
) -> Shortlist:
    """Take the best LENGTH candidates at a time through the rules until `wanted` have passed.

    `read_stock` tells the last counts of some products here; they are added to the occasion's.
    """
    removed: Counter[str] = Counter()
    id_of = occasion.catalogue.id_of
    pool = by_worth(source, kind, occasion)
    passed: list[Candidates] = []
    found = begin = 0
    while found < wanted and begin < len(pool):
        candidates = source.take(pool[begin : begin + LENGTH])
        begin += LENGTH
        ids = {id_of(product): product for product in candidates.product.tolist()}
        occasion.stock.update((ids[product_id], float(n)) for product_id, n in read_stock(list(ids)).items())
        passed.append(through_rules(candidates, occasion, kind, removed))
        found += len(passed[-1])
    left = join(passed)
    accepted = acceptance(left, occasion)
    score = worth(left, accepted, occasion)
    order = np.argsort(-score)
    return Shortlist(left.take(order), accepted[order], score[order], occasion, removed)


def acceptance(candidates: Candidates, occasion: Occasion) -> NDArray[np.float64]:
    """The chance that a proposal of each candidate is accepted."""
    return occasion.acceptance(candidates.probability, candidates.is_new, candidates.source == WEB)


def worth(candidates: Candidates, accepted: NDArray[np.float64], occasion: Occasion) -> NDArray[np.float64]:
    """Acceptance times the value of the purchase; ties are broken by a fixed shuffle of the products, never by id."""
    value = np.where(candidates.is_new, occasion.policy.first_purchase_value, 1.0)
    shuffle = (candidates.product.astype(np.uint32) * np.uint32(GOLDEN)).astype(np.float64)
    return accepted * value * (1.0 + 1e-18 * shuffle) + 1e-22 * shuffle


def by_worth(candidates: Candidates, kind: Kind, occasion: Occasion) -> NDArray[np.int64]:
    """Positions of the candidates of a kind as far as training knows, best first."""
    order = np.argsort(-worth(candidates, acceptance(candidates, occasion), occasion))
    if kind == EXPLORE:
        order = order[candidates.is_new[order]]
    return order


def through_rules(candidates: Candidates, occasion: Occasion, kind: Kind, removed: Counter[str]) -> Candidates:
    """What the rules leave; purchases since the training make a product known."""
    bought = occasion.moment.bought
    if occasion.may_profile and bought:
        unknown = np.array([product not in bought for product in candidates.product.tolist()], np.bool_)
        candidates = replace(candidates, is_new=candidates.is_new & unknown)
    if kind != "all":
        candidates = candidates.take(candidates.is_new == (kind != REPEAT))
    for name, rule in REMOVING:
        stays = rule(candidates, occasion)
        if stays is None or stays.all():
            continue
        removed[name] += int(len(stays) - stays.sum())
        candidates = candidates.take(stays)
    return candidates
