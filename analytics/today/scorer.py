"""Finds what to act on and puts it in order: the more customers within a week, for certain, the earlier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from analytics.today import floor, promises, proposals, shelves, team, voices
from analytics.today.finding import Finding

LEAST = 0.5  # customers a week, below which nothing is worth a manager's morning


@dataclass(frozen=True)
class Asked:
    """Whose day: the store, its zone, the day there, and the moment."""

    store_id: str
    tz: ZoneInfo
    today: date
    now: datetime


# kind → its finder; where two weigh the same, the first stands first
FINDERS = {
    "late_tasks": voices.late_tasks,
    "late_orders": promises.late_orders,
    "late_follow_ups": promises.late_follow_ups,
    "short_today": floor.short_today,
    "short_hour": floor.short_hour,
    "unserved": floor.unserved,
    "sold_out": shelves.sold_out,
    "unrecorded": proposals.unrecorded,
    "focus": proposals.focus,
    "learn": team.learn,
}


def find(session: Session, asked: Asked, kind: str) -> Finding | None:
    """Return the finding of that kind, or None where there is nothing to say; KeyError for a kind that is none."""
    return FINDERS[kind](session, asked.store_id, asked.tz, asked.today, asked.now)


def findings(session: Session, asked: Asked) -> list[Finding]:
    """Return all that is worth acting on, the weightiest first."""
    found = [find(session, asked, kind) for kind in FINDERS]
    order = {kind: place for place, kind in enumerate(FINDERS)}
    return sorted(
        (one for one in found if one is not None and one.customers >= LEAST),
        key=lambda one: (-one.customers, order[one.kind]),
    )
