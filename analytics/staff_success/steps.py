"""The way from a customer served to a purchase, as rates: each with its own whole, n and interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analytics.rates import Estimate, rate

# step → (what is counted, of what)
STEPS = {
    "identified": ("identified", "services"),
    "proposed": ("proposed", "shown"),
    "accepted": ("accepted", "proposed"),
    "confirmed": ("confirmed", "shown"),
    "first": ("first_purchases", "confirmed"),
    "focus": ("focus_first_purchases", "confirmed"),
}
COUNTED = tuple(dict.fromkeys(name for pair in STEPS.values() for name in pair))


@dataclass(frozen=True)
class Step:
    """*count* of *whole*; *estimate* (95 % interval) is None where the whole is empty; *chain* is to compare with."""

    name: str
    count: int
    whole: int
    estimate: Estimate | None
    chain: float | None


def steps(rows: Iterable[Mapping[str, Any]], chain: Mapping[str, Any]) -> list[Step]:
    """Return the steps of clerks' *rows* together; *chain* has the counts of all clerks.

    Focus merchandise can count one purchase for two campaigns; its share is then cut off at all of them.
    """
    every = list(rows)
    total = {name: sum(int(row.get(name) or 0) for row in every) for name in COUNTED}
    return [
        Step(
            name,
            total[part],
            total[whole],
            rate(min(total[part], total[whole]), total[whole]),
            chain[part] / chain[whole] if chain.get(whole) and chain.get(part) is not None else None,
        )
        for name, (part, whole) in STEPS.items()
    ]
