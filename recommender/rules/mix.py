"""How many of the first k are new to the customer is chosen for each customer, by what one more of either kind adds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.candidate_set import Candidates
from recommender.rules.base import Occasion


def mixed(
    order: list[int], candidates: Candidates, accepted: NDArray[np.float64], occasion: Occasion, k: int
) -> tuple[list[int], int]:
    """The order with the first k chosen one by one from what the customer knows and what is new, and how many of the
    first k that changed.

    What a proposal adds is its chance to be accepted times the value of its kind (a first purchase, or one more
    purchase) times the chance that none of its kind before it is accepted: where the first repeats are nearly certain,
    a fifth adds less than something new, and where nothing new has a chance, repeats stay. After IA-Select (Agrawal et
    al. 2009) with two intents.
    """
    is_new, chance = candidates.is_new.tolist(), accepted.tolist()
    queues = {kind: [entry for entry in order if is_new[entry] is kind][::-1] for kind in (False, True)}
    if len(order) <= 1 or not queues[False] or not queues[True]:
        return order, 0
    missed = {False: 1.0, True: occasion.policy.first_purchase_value}
    first: list[int] = []
    while len(first) < k and (queues[False] or queues[True]):
        adds = {kind: missed[kind] * chance[queue[-1]] if queue else -1.0 for kind, queue in queues.items()}
        kind = adds[True] >= adds[False]
        entry = queues[kind].pop()
        missed[kind] *= 1.0 - chance[entry]
        first.append(entry)
    chosen = set(first)
    return first + [entry for entry in order if entry not in chosen], len(chosen.difference(order[:k]))
