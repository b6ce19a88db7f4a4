"""Now and then another product in one slot, with the exact probability of every choice written down."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Draw:
    """The shown entries in order, each one's propensity at its rank, and the slot that was explored (-1 none)."""

    shown: list[int]
    propensity: list[float]
    slot: int


def draw(order: list[int], k: int, *, share: float, width: int, random: Random) -> Draw:
    """Show the first k of `order`; in a `share` of sets one slot, drawn evenly, holds one of the `width` entries
    that follow the first k, drawn evenly, instead.

    The propensity of entry a at rank j is exact: 1 - share/k for the policy's own choice at j, and
    share / (k · candidates in the tail) for each of the tail. Without a tail nothing is explored and it is 1.
    After epsilon-greedy (Sutton & Barto 2018, 2.2), slot by slot.
    """
    top, tail = order[:k], order[k : k + width]
    if not top or not tail or share <= 0:
        return Draw(top, [1.0] * len(top), -1)
    own, other = 1.0 - share / len(top), share / (len(top) * len(tail))
    if random.random() >= share:
        return Draw(top, [own] * len(top), -1)
    slot = random.randrange(len(top))
    shown = [*top]
    shown[slot] = random.choice(tail)
    return Draw(shown, [own if rank != slot else other for rank in range(len(top))], slot)
