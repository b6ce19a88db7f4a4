"""Rows of the record for tests of the CX analyses: only what a test cares about is named."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Store
from journey.surveys import Answer, Survey
from journey.web import WebEvent

START = datetime(2026, 1, 5, 3, tzinfo=UTC)  # noon of a Monday in Tokyo
JST = timedelta(hours=9)
_numbers = itertools.count()


def day(n: float, hour: float = 0.0) -> datetime:
    """Noon in Tokyo n days after the first Monday of 2026, and some hours."""
    return START + timedelta(days=n, hours=hour)


def blank(table: type, **known: Any) -> Any:
    """A row of a table with everything unnamed empty."""
    columns = {c.key: None for c in table.__table__.columns if c.default is None}  # type: ignore[attr-defined]
    return table(**(columns | known))


def line(customer: str | None, product: str, when: datetime, **known: Any) -> PosLine:
    local = (when + JST).date() - date(1970, 1, 1)
    row = {
        "receipt_id": f"R{next(_numbers)}",
        "line_no": 1,
        "store_id": "001",
        "sold_at": when,
        "local_day": local.days,
        "channel": "store",
        "customer_id": customer,
        "customer_ref": customer,
        "product_id": product,
        "quantity": 1.0,
        "amount": 100,
    }
    return blank(PosLine, **(row | known))


def event(visitor: str, kind: str, when: datetime, **known: Any) -> WebEvent:
    row = {"event_id": f"E{next(_numbers)}", "visitor_id": visitor, "kind": kind, "occurred_at": when}
    return blank(WebEvent, **(row | known))


def answer(response: str, question: str, score: float | None, when: datetime, **known: Any) -> Answer:
    row = {
        "response_id": response,
        "question": question,
        "touchpoint": "",
        "survey_id": "V",
        "answered_at": when,
        "score": score,
        "scale_min": 0.0 if question == "nps" else 1.0,
        "scale_max": 10.0,
    }
    return blank(Answer, **(row | known))


def masters(session: Session, customers: int = 0, products: int = 0) -> None:
    """One store, one survey, customers C0.. and products P00.. in four categories."""
    session.add(blank(Store, store_id="001", name="本店"))
    session.add(blank(Survey, survey_id="V", name="定点", kind="periodic"))
    for i in range(customers):
        session.add(blank(Customer, customer_id=f"C{i}", tier="gold" if i % 2 else "silver"))
    for i in range(products):
        session.add(blank(Product, product_id=f"P{i:02d}", name=f"商品{i}", category=f"C{i % 4} > D{i % 8}"))
    session.flush()
