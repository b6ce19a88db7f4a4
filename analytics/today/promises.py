"""Promises to customers that are late: dates to come back to them, and orders that wait to be collected."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from analytics.today.finding import Finding
from journey.customer_cards import CLOSED_ORDERS
from journey.customers import Customer
from journey.outcomes import FollowUp
from journey.stores import Clerk
from journey.visits import Order

GRACE = timedelta(days=1)  # an order may wait so long after its time
FORGOTTEN = timedelta(days=30)  # older ones are no task of today, but a matter of tidying up


def late_follow_ups(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Customers whom somebody promised to come back to by a day that has passed."""
    rows = session.execute(
        select(FollowUp.due_on, Customer.customer_id, Customer.name, Clerk.name, FollowUp.text)
        .join(Customer, Customer.customer_id == FollowUp.customer_id)
        .outerjoin(Clerk, Clerk.clerk_id == FollowUp.clerk_id)
        .where(FollowUp.store_id == store, FollowUp.done_at.is_(None), FollowUp.due_on < today)
        .where(Customer.erased_at.is_(None))
        .order_by(FollowUp.due_on, FollowUp.follow_up_id)
    ).all()
    if not rows:
        return None
    people = len({row[1] for row in rows})
    return Finding(
        "late_follow_ups", people, people,
        {"people": people, "oldest": rows[0].due_on, "days": (today - rows[0].due_on).days},
        ("due_on", "customer", "clerk", "text"),
        [dict(zip(("due_on", "customer", "clerk", "text"), (due, name or "", clerk or "", text or ""), strict=True))
         for due, _, name, clerk, text in rows],
    )  # fmt: skip


def late_orders(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Orders that were to be collected more than a day ago and are still here."""
    rows = session.execute(
        select(Order.pickup_at, Order.order_id, Customer.customer_id, Customer.name, Order.status)
        .join(Customer, Customer.customer_id == Order.customer_id)
        .where(
            Order.store_id == store,
            Order.pickup_at < now - GRACE,
            Order.pickup_at >= now - FORGOTTEN,
            or_(Order.status.is_(None), Order.status.not_in(CLOSED_ORDERS)),
            Customer.erased_at.is_(None),
        )
        .order_by(Order.pickup_at, Order.order_id)
    ).all()
    if not rows:
        return None
    people = len({row[2] for row in rows})
    oldest = rows[0].pickup_at.astimezone(tz).date()
    return Finding(
        "late_orders", people, len(rows),
        {"orders": len(rows), "people": people, "oldest": oldest, "days": (today - oldest).days},
        ("pickup_at", "order_id", "customer", "status"),
        [{"pickup_at": at, "order_id": order, "customer": name or "", "status": status or ""}
         for at, order, _, name, status in rows],
    )  # fmt: skip
