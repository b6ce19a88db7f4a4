"""Cards that more than one person seems to use: in two stores at once, or at the till all day.

Such a card is a risk for suggestions (the taste of two in one list) and for analyses; it is flagged and never split by
a machine: the record keeps one customer until a person knows better. What would make it wrong: a till whose clock is
off, so one leap alone is not told. A couple that shops in turns in one store does not show at all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from analytics.period import Period
from journey.purchases import PosLine

AT_ONCE = 20 * 60 * 1_000_000
"""Stores of a chain are further apart than twenty minutes between two payments."""
LEAPS = 2
ALL_DAY = 5
"""So many receipts on one day are a card that lies at the till, or that a whole household carries."""


def shared_cards(session: Session, period: Period) -> list[dict[str, Any]]:
    """Customers whose receipts one person can hardly have made: customer_id, two_places, busiest_day (receipts)."""
    counter = or_(PosLine.channel.is_(None), PosLine.channel == "store")
    receipts = (
        select(
            PosLine.customer_id,
            PosLine.store_id,
            PosLine.local_day,
            func.min(type_coerce(PosLine.sold_at, BigInteger)).label("at"),
        )
        .where(PosLine.customer_id.is_not(None), PosLine.quantity > 0, counter, period.covers(PosLine.sold_at))
        .group_by(PosLine.customer_id, PosLine.store_id, PosLine.local_day, PosLine.receipt_id)
        .subquery()
    )
    person, at = receipts.c.customer_id, receipts.c.at
    steps = select(
        receipts.c.customer_id,
        receipts.c.store_id,
        receipts.c.at,
        func.lag(receipts.c.store_id).over(partition_by=person, order_by=at).label("store_before"),
        func.lag(at).over(partition_by=person, order_by=at).label("at_before"),
    ).subquery()
    leaps = session.execute(
        select(steps.c.customer_id, func.count())
        .where(steps.c.store_id != steps.c.store_before, steps.c.at - steps.c.at_before < AT_ONCE)
        .group_by(steps.c.customer_id)
        .having(func.count() >= LEAPS)
    )
    found: dict[str, dict[str, Any]] = {
        customer: {"customer_id": customer, "two_places": int(times), "busiest_day": None} for customer, times in leaps
    }
    days = (
        select(receipts.c.customer_id, func.count().label("n"))
        .group_by(receipts.c.customer_id, receipts.c.local_day)
        .having(func.count() >= ALL_DAY)
        .subquery()
    )
    for customer, most in session.execute(select(days.c.customer_id, func.max(days.c.n)).group_by(days.c.customer_id)):
        entry = found.setdefault(customer, {"customer_id": customer, "two_places": 0, "busiest_day": None})
        entry["busiest_day"] = int(most)
    return sorted(
        found.values(), key=lambda card: (-card["two_places"], -(card["busiest_day"] or 0), card["customer_id"])
    )
