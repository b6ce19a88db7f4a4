"""One thing to act on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Something to act on, counted in customers.

    *customers* is how many customers it concerns within a week, at the cautious end of what is known: exact where
    they are counted, the low end of the 95 % interval where they are estimated. That is the one scale on which
    findings are compared; nothing else is weighed in. *facts* fill the sentence, with *n* behind them; *rows* are the
    evidence, their keys in *columns* order.
    """

    kind: str
    customers: float
    n: int
    facts: dict[str, Any]
    columns: tuple[str, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
