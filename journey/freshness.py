"""How much of each kind of fact there is, and how old the latest is: what the CoE looks at before anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from journey.outcomes import Outcome
from journey.products import Stock
from journey.purchases import PosLine
from journey.rosters import Shift
from journey.suggestions import Suggestion
from journey.surveys import Answer
from journey.traffic import Traffic
from journey.web import WebEvent

# table → (the time of a fact, after how many days without a new one somebody should ask why)
FACTS: dict[str, tuple[InstrumentedAttribute[Any], int]] = {
    "pos_lines": (PosLine.sold_at, 2),
    "web_events": (WebEvent.occurred_at, 2),
    "suggestions": (Suggestion.shown_at, 2),
    "outcomes": (Outcome.occurred_at, 2),
    "answers": (Answer.answered_at, 14),
    "traffic": (Traffic.starts_at, 2),
    "shifts": (Shift.starts_at, 7),
    "stock": (Stock.as_of, 2),
}


@dataclass(frozen=True)
class Freshness:
    """One kind of fact: ``rows`` in all, the ``latest`` moment, its ``age_days``, and whether that is ``stale``."""

    table: str
    rows: int
    latest: datetime | None
    age_days: float | None
    stale: bool


def freshness(session: Session, *, now: datetime) -> list[Freshness]:
    """Every kind of fact with its latest moment; nothing at all is not stale but absent (``latest`` None)."""
    found = []
    for table, (moment, patience) in FACTS.items():
        rows, latest = session.execute(select(func.count(), func.max(moment))).one()
        age = None if latest is None else (now - latest).total_seconds() / 86400
        found.append(Freshness(table, rows, latest, age, age is not None and age > patience))
    return found
