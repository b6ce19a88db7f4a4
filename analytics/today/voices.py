"""Customers who were not content and to whom nobody has come back in time."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from analytics.today.finding import Finding
from journey.survey_tasks import tasks


def late_tasks(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Low scores whose follow-up is due today or late."""
    due = [one for one in tasks(session, store_id=store, today=today) if one.task.due_on <= today]
    if not due:
        return None
    people = len({one.task.customer_id for one in due})
    return Finding(
        "late_tasks", people, len(due),
        {"people": people, "late": sum(one.overdue for one in due), "oldest": due[0].task.due_on},
        ("due_on", "customer", "score", "comment", "assignee"),
        [{"due_on": one.task.due_on, "customer": one.customer_name or "", "score": one.task.score,
          "comment": one.comment or "", "assignee": one.assignee_name or ""} for one in due],
    )  # fmt: skip
