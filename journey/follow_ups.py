"""Dates on which to come back to a customer who is considering."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.errors import NotFound
from journey.outcomes import FollowUp


@dataclass(frozen=True)
class Task:
    """A follow-up with the name of the customer."""

    follow_up_id: str
    customer_id: str
    customer_name: str | None
    suggestion_id: str | None
    due_on: date
    text: str | None
    clerk_id: str
    done_at: datetime | None


def keep_follow_up(
    session: Session,
    *,
    follow_up_id: str,
    customer_id: str,
    store_id: str,
    clerk_id: str,
    due_on: date,
    suggestion_id: str | None,
    text: str | None,
    done: bool,
    now: datetime,
) -> tuple[FollowUp, bool]:
    """Make a follow-up, or move, reword or finish it; it stays with the clerk who made it. Returns whether it is new.

    Raises:
        NotFound: the id belongs to another store's follow-up.
    """
    task = session.get(FollowUp, follow_up_id)
    added = task is None
    if task is None:
        task = FollowUp(
            follow_up_id=follow_up_id,
            suggestion_id=suggestion_id,
            customer_id=customer_id,
            store_id=store_id,
            clerk_id=clerk_id,
            due_on=due_on,
            text=text,
            created_at=now,
            done_at=None,
        )
        session.add(task)
    elif task.store_id != store_id:
        raise _missing(follow_up_id)
    task.customer_id, task.suggestion_id, task.due_on, task.text = customer_id, suggestion_id, due_on, text
    task.done_at = (task.done_at or now) if done else None
    session.flush()
    return task, added


def finish_follow_up(session: Session, follow_up_id: str, *, store_id: str, now: datetime) -> FollowUp:
    """Mark as done; twice is the same as once.

    Raises:
        NotFound: no such follow-up in this store.
    """
    task = session.get(FollowUp, follow_up_id)
    if task is None or task.store_id != store_id:
        raise _missing(follow_up_id)
    task.done_at = task.done_at or now
    return task


def due_follow_ups(session: Session, *, store_id: str, clerk_id: str, until: date) -> list[Task]:
    """A clerk's open follow-ups up to a day, the most overdue first."""
    rows = session.execute(
        select(FollowUp, Customer.name)
        .outerjoin(Customer, Customer.customer_id == FollowUp.customer_id)
        .where(
            FollowUp.store_id == store_id,
            FollowUp.clerk_id == clerk_id,
            FollowUp.done_at.is_(None),
            FollowUp.due_on <= until,
        )
        .order_by(FollowUp.due_on, FollowUp.follow_up_id)
    )
    return [
        Task(t.follow_up_id, t.customer_id, name, t.suggestion_id, t.due_on, t.text, t.clerk_id, t.done_at)
        for t, name in rows
    ]


def _missing(follow_up_id: str) -> NotFound:
    return NotFound(f"no follow-up {follow_up_id!r}", where="follow_up_id", what_to_do="look at the list of the day")
