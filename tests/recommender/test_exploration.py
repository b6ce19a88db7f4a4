from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from recommender.exploration import draw


def test_propensities_are_those_of_the_draws() -> None:
    order, k, share, width, rounds = list(range(20)), 4, 0.4, 5, 40_000
    random = Random(1)
    times: Counter[tuple[int, int]] = Counter()
    stated: dict[tuple[int, int], float] = {}
    for _ in range(rounds):
        shown = draw(order, k, share=share, width=width, random=random)
        for rank, (entry, propensity) in enumerate(zip(shown.shown, shown.propensity, strict=True)):
            times[rank, entry] += 1
            stated[rank, entry] = propensity
    assert len(stated) == k * (1 + width)
    for place, propensity in stated.items():
        error = (propensity * (1 - propensity) / rounds) ** 0.5
        assert abs(times[place] / rounds - propensity) < 4.5 * error, place
    for rank in range(k):
        assert sum(p for (r, _), p in stated.items() if r == rank) == pytest.approx(1)


def test_nothing_is_shown_twice_and_only_one_slot_changes() -> None:
    random = Random(2)
    for _ in range(200):
        shown = draw(list(range(9)), 5, share=1.0, width=10, random=random)
        assert len(set(shown.shown)) == 5
        assert sum(entry != rank for rank, entry in enumerate(shown.shown)) == 1
        assert shown.shown[shown.slot] >= 5


@pytest.mark.parametrize(
    ("order", "k", "share"), [([1, 2], 5, 0.5), ([1, 2, 3], 3, 0.5), ([1, 2, 3], 2, 0.0), ([], 3, 0.5)]
)
def test_without_a_tail_or_a_share_the_policy_is_deterministic(order: list[int], k: int, share: float) -> None:
    shown = draw(order, k, share=share, width=10, random=Random(3))
    assert shown.shown == order[:k]
    assert shown.propensity == [1.0] * len(order[:k])
    assert shown.slot == -1


def test_weighting_by_the_logged_propensities_is_unbiased() -> None:
    """What another policy would have reached, from what this one logged, comes out right on average."""
    order, k, share, width, rounds = list(range(12)), 3, 0.3, 6, 60_000
    chance = [0.30, 0.25, 0.20, 0.05, 0.40, 0.02, 0.10, 0.08, 0.15, 0.01, 0.5, 0.5]
    random = Random(5)
    policies = {"own": [0, 1, 2], "one from the tail": [0, 4, 2], "two from the tail": [8, 1, 4]}
    totals: dict[str, list[float]] = {name: [0.0, 0.0] for name in policies}
    for _ in range(rounds):
        shown = draw(order, k, share=share, width=width, random=random)
        bought = [random.random() < chance[entry] for entry in shown.shown]
        for name, wanted in policies.items():
            value = sum(
                hit / propensity
                for entry, target, hit, propensity in zip(shown.shown, wanted, bought, shown.propensity, strict=True)
                if entry == target
            )
            totals[name][0] += value
            totals[name][1] += value * value
    for name, wanted in policies.items():
        truth = sum(chance[entry] for entry in wanted)
        mean = totals[name][0] / rounds
        error = ((totals[name][1] / rounds - mean * mean) / rounds) ** 0.5
        assert abs(mean - truth) < 4 * error, name
        assert error < 0.05, name
