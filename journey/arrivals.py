"""Who is in a store or expected there today: check-ins, appointments, orders to collect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from journey.customer_cards import CLOSED_ORDERS
from journey.customers import Customer
from journey.visits import Order, Visit

CHECKIN_HOLDS = timedelta(hours=3)
SOURCES = ("checkin", "appointment", "scan")


@dataclass(frozen=True)
class Expected:
    """Somebody to attend to; ``source`` is checkin, appointment or order; ``attended`` once a clerk opened the card."""

    source: str
    at: datetime | None
    customer_id: str
    name: str | None
    kana: str | None
    tier: str | None
    attended: bool = False
    order_id: str | None = None
    status: str | None = None


def expected(session: Session, store_id: str, *, now: datetime, day_ends: datetime) -> list[Expected]:
    """Check-ins of the last three hours that nobody attended to, today's appointments, and orders to collect up to
    today's end; in the order of their times, those who are here first.
    """
    visits = session.execute(
        select(Visit, Customer)
        .join(Customer, Customer.customer_id == Visit.customer_id)
        .where(
            Visit.store_id == store_id,
            Visit.arrived_at >= now - CHECKIN_HOLDS,
            Visit.arrived_at < day_ends,
            Visit.ended_at.is_(None),
            Visit.source.in_(("checkin", "appointment")),
            Customer.erased_at.is_(None),
        )
    ).all()
    found = [
        Expected(
            source=visit.source,
            at=visit.arrived_at,
            customer_id=customer.customer_id,
            name=customer.name,
            kana=customer.kana,
            tier=customer.tier,
            attended=visit.attended_at is not None,
        )
        for visit, customer in visits
    ]
    orders = session.execute(
        select(Order, Customer)
        .join(Customer, Customer.customer_id == Order.customer_id)
        .where(
            Order.store_id == store_id,
            or_(Order.status.is_(None), Order.status.not_in(CLOSED_ORDERS)),
            or_(Order.pickup_at.is_(None), Order.pickup_at < day_ends),
            Customer.erased_at.is_(None),
        )
        .order_by(Order.pickup_at)
        .limit(200)
    ).all()
    found += [
        Expected(
            source="order",
            at=order.pickup_at,
            customer_id=customer.customer_id,
            name=customer.name,
            kana=customer.kana,
            tier=customer.tier,
            order_id=order.order_id,
            status=order.status,
        )
        for order, customer in orders
    ]
    return sorted(
        found, key=lambda one: (one.attended, one.source != "checkin", one.at is None, one.at or now, one.customer_id)
    )


def attend(session: Session, store_id: str, customer_id: str, clerk_id: str | None, *, now: datetime) -> None:
    """A clerk has opened the card of somebody who had checked in or is booked here: no longer waiting."""
    session.execute(
        update(Visit)
        .where(
            Visit.store_id == store_id,
            Visit.customer_id == customer_id,
            Visit.attended_at.is_(None),
            Visit.arrived_at >= now - CHECKIN_HOLDS,
            Visit.arrived_at <= now + CHECKIN_HOLDS,
        )
        .values(attended_at=now, clerk_id=clerk_id)
    )
