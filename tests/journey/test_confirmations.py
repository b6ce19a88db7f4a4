from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.confirmations import confirm, confirm_customers
from journey.outcomes import Confirmation
from journey.purchases import PosLine
from journey.suggestions import Suggestion

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def shown(name: str, product: str, hours: float, customer: str = "C") -> Suggestion:
    return Suggestion(
        suggestion_id=name, customer_id=customer, store_id="S", shown_at=NOON + timedelta(hours=hours),
        product_id=product, rank=1,
    )  # fmt: skip


def sold(receipt: str, product: str, hours: float, *, customer: str | None = "C", quantity: float = 1) -> PosLine:
    return PosLine(
        receipt_id=receipt, line_no=1, store_id="S", sold_at=NOON + timedelta(hours=hours), local_day=20513,
        customer_id=customer, product_id=product, quantity=quantity, amount=Decimal(100),
    )  # fmt: skip


def confirmed(session: Session) -> dict[str, tuple[str, bool]]:
    rows = session.execute(select(Confirmation.suggestion_id, Confirmation.receipt_id, Confirmation.first_purchase))
    return {name: (receipt, first) for name, receipt, first in rows}


def test_only_the_same_customer_and_product_within_the_window_confirms(session: Session) -> None:
    session.add_all(
        [shown("bought", "A", 0), shown("too-late", "B", 0), shown("before", "D", 0), shown("other-person", "E", 0)]
        + [shown("returned", "F", 0), shown("anonymous", "G", 0)]
        + [sold("R1", "A", 24), sold("R2", "B", 24.01), sold("R3", "D", -0.01), sold("R4", "E", 1, customer="X")]
        + [sold("R5", "F", 1, quantity=-1), sold("R6", "G", 1, customer=None)]
    )
    assert confirm(session, window=DAY) == 1
    assert confirmed(session) == {"bought": ("R1", True)}


def test_a_line_confirms_only_the_latest_suggestion_before_it(session: Session) -> None:
    session.add_all([shown("first", "A", 0), shown("second", "A", 2), sold("R1", "A", 3), sold("R2", "A", 4)])
    confirm(session, window=DAY)
    assert confirmed(session) == {"second": ("R1", True)}


def test_a_product_bought_before_is_no_first_purchase(session: Session) -> None:
    session.add_all([sold("R0", "A", -1000), shown("again", "A", 0), sold("R1", "A", 1)])
    confirm(session, window=DAY)
    assert confirmed(session) == {"again": ("R1", False)}


def test_running_again_follows_the_record(session: Session) -> None:
    session.add_all([shown("old", "A", -100), sold("R1", "A", -99), shown("new", "B", 0), sold("R2", "B", 1)])
    assert confirm(session, window=DAY) == 2
    session.delete(session.get(PosLine, ("R2", 1)))
    session.flush()
    assert confirm(session, window=DAY, since=NOON - DAY) == 1
    assert confirmed(session) == {"old": ("R1", True)}


def test_a_till_confirms_at_once_what_it_sells_to_a_few_customers(session: Session) -> None:
    session.add_all([shown("first", "A", 0), shown("second", "A", 2), shown("other", "A", 0, customer="X")])
    session.add_all([sold("R1", "A", 3), sold("R2", "A", 3, customer="X")])
    now = NOON + timedelta(hours=4)
    assert confirm_customers(session, [], window=DAY, now=now) == 0
    assert confirm_customers(session, ["C"], window=DAY, now=now) == 1
    assert confirm_customers(session, ["C"], window=DAY, now=now) == 0
    assert confirmed(session) == {"second": ("R1", True)}
    confirm(session, window=DAY)
    assert confirmed(session) == {"second": ("R1", True), "other": ("R2", True)}


def test_a_receipt_that_went_to_another_takes_its_confirmation_along(session: Session) -> None:
    session.add_all([shown("one", "A", 0), sold("R1", "A", 1)])
    now = NOON + timedelta(hours=2)
    assert confirm_customers(session, ["C"], window=DAY, now=now) == 1
    session.query(PosLine).update({PosLine.customer_id: "X"})
    assert confirm_customers(session, ["C"], window=DAY, now=now) == 0
    assert confirmed(session) == {}
