"""Cards that more than one person seems to use: in two stores at once, all day at the till, after another's check-in.

Such a card is a risk for suggestions (the taste of two in one list) and for analyses; it is flagged and never split by
a machine: the record keeps one customer until a person knows better. What would make it wrong: a till whose clock is
off, so one leap alone is not told. A couple that shops in turns in one store shows only where the one without a card
checks in by app (analytics.one_id.borrowed).
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


def shared_cards(
    session: Session, period: Period, borrowed: list[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Customers whose receipts one person can hardly have made: customer_id, two_places, busiest_day (receipts), users.

    borrowed: what analytics.one_id.borrowed found; ``users`` are those who pay with the card, each with user_id, times
    and check_ins.
    """
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
        customer: _card(customer) | {"two_places": int(times)} for customer, times in leaps
    }
    days = (
        select(receipts.c.customer_id, func.count().label("n"))
        .group_by(receipts.c.customer_id, receipts.c.local_day)
        .having(func.count() >= ALL_DAY)
        .subquery()
    )
    for customer, most in session.execute(select(days.c.customer_id, func.max(days.c.n)).group_by(days.c.customer_id)):
        found.setdefault(customer, _card(customer))["busiest_day"] = int(most)
    for one in borrowed or []:
        user = {name: one[name] for name in ("user_id", "times", "check_ins")}
        found.setdefault(one["customer_id"], _card(one["customer_id"]))["users"].append(user)
    return sorted(
        found.values(),
        key=lambda card: (
            -card["two_places"], -sum(user["times"] for user in card["users"]), -(card["busiest_day"] or 0),
            card["customer_id"],
        ),
    )  # fmt: skip


def _card(customer_id: str) -> dict[str, Any]:
    return {"customer_id": customer_id, "two_places": 0, "busiest_day": None, "users": []}
