"""Not five of a kind: at most so many of one category among the first k."""

from __future__ import annotations

from recommender.candidate_set import Candidates
from recommender.rules.base import Occasion


def spread(order: list[int], candidates: Candidates, occasion: Occasion, k: int) -> tuple[list[int], int]:
    """The order with surplus products of a category moved behind the first k, and how many were moved.

    Products without a category are not limited. Where too few others are left, the surplus comes back.
    """
    limit = occasion.policy.max_per_category
    category = occasion.catalogue.category[candidates.product].tolist()
    counts: dict[int, int] = {}
    first: list[int] = []
    surplus: list[int] = []
    rest: list[int] = []
    for position, entry in enumerate(order):
        if len(first) == k:
            rest = order[position:]
            break
        kind = category[entry]
        seen = counts.get(kind, 0)
        if kind >= 0 and seen >= limit:
            surplus.append(entry)
        else:
            counts[kind] = seen + 1
            first.append(entry)
    arranged = first + surplus + rest
    return arranged, len(set(order[:k]).difference(arranged[:k]))
