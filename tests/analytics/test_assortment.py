from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.assortment import product_roles, report
from analytics.baskets import basket_pairs, recorded_baskets
from analytics.period import Period
from journey.products import Product
from tests.analytics.cx_record import blank, day, line, masters

ALWAYS = Period(None, None)


def shop(session: Session) -> None:
    """Coffee A and B replace each other, salt stands alone."""
    for name, category in (("A", "drink > coffee"), ("B", "drink > coffee"), ("S", "salt")):
        session.add(blank(Product, product_id=name, name=name, category=category))
    session.add_all(
        [
            line("C0", "A", day(0), amount=300),  # C0: three days, A on two of three coffee purchases
            line("C0", "A", day(1), amount=300),
            line("C0", "B", day(2), amount=200),
            line("C1", "A", day(0), amount=400),  # C1: nothing but A, one day
            line("C2", "B", day(0), amount=100),  # C2: three days, A later and returned in part
            line("C2", "S", day(1), amount=50),
            line("C2", "A", day(5), amount=200),
            line("C2", "A", day(6), amount=-100, quantity=-1.0),
            line(None, "A", day(3), amount=100),
        ]
    )
    session.flush()


def test_roles_by_hand(session: Session) -> None:
    shop(session)
    rows = {row["product_id"]: row for row in product_roles(session, ALWAYS).to_dicts()}
    a = rows["A"]
    assert (a["buyers"], a["regulars"], a["newcomers"], a["repeaters"]) == (3, 2, 2, 1)
    assert (a["sales"], a["known_sales"]) == (1200.0, 1100.0)
    # C0 keeps a third in coffee, C1 nothing, C2 half: 600 * 2/3 + 400 + 100 / 2.
    assert a["lost_sales"] == pytest.approx(850.0)
    assert rows["S"]["lost_sales"] == rows["S"]["sales"] == 50.0


def test_report(session: Session) -> None:
    shop(session)
    found = report(session)
    a = found["products"][0]
    assert a["product_id"] == "A"
    assert a["regular_share"] == pytest.approx(2 / 3)
    assert a["newcomer_share"] == pytest.approx(2 / 3)
    assert a["repeat_rate"] == pytest.approx(1 / 3)
    assert a["repeat_rate_low"] < a["repeat_rate"] < a["repeat_rate_high"]
    assert a["loss_if_delisted"] == pytest.approx(1200 * 850 / 1100)
    assert a["lift_with"] == []
    assert any("fewer than" in note for note in found["notes"])


def test_first_purchases_before_the_period_are_remembered(session: Session) -> None:
    shop(session)
    found = {row["product_id"]: row for row in report(session, start=date(2026, 1, 6))["products"]}
    assert found["A"]["newcomer_share"] == 0.0
    assert found["A"]["buyers"] == 2


def test_without_amounts_the_units_tell_the_share(session: Session) -> None:
    for customer, product in (("C0", "A"), ("C0", "B"), ("C1", "A")):
        session.add(line(customer, product, day(0), amount=0))
    for name in "AB":
        session.add(blank(Product, product_id=name, name=name, category="coffee"))
    session.flush()
    a = next(row for row in report(session)["products"] if row["product_id"] == "A")
    assert (a["loss_if_delisted"], a["loss_share"], a["loss_units"]) == (0.0, pytest.approx(0.75), pytest.approx(1.5))


def test_pairs_that_belong_together_are_found_and_others_are_not() -> None:
    draw = np.random.default_rng(2)
    rows = []
    for basket in range(3000):
        held = {f"P{p}" for p in range(20) if draw.random() < 0.1}
        if "P0" in held and draw.random() < 0.6:
            held.add("P1")
        rows += [(str(basket), product) for product in held]
    pairs = basket_pairs(pl.DataFrame(rows, schema=["basket", "product_id"], orient="row"))
    assert {(a, b) for a, b in pairs.select("product_id", "with_id").iter_rows()} == {("P0", "P1"), ("P1", "P0")}
    row = pairs.row(0, named=True)
    assert row["low"] > 2
    assert row["confidence"] == pytest.approx(0.64, abs=0.06)


def test_lift_by_hand() -> None:
    rows = [(str(b), p) for b in range(100) for p in (["A", "B"] if b < 20 else ["A"] if b < 25 else ["C"])]
    pairs = basket_pairs(pl.DataFrame(rows, schema=["basket", "product_id"], orient="row"))
    assert pairs.filter(pl.col("product_id") == "A")["lift"].to_list() == [pytest.approx(20 * 100 / (25 * 20))]


def test_a_basket_is_a_customers_day(session: Session) -> None:
    masters(session, customers=1)
    session.add_all(
        [line("C0", "A", day(0)), line("C0", "B", day(0, 3)), line("C0", "A", day(1)), line(None, "A", day(0))]
    )
    session.flush()
    baskets, since = recorded_baskets(session, ALWAYS)
    assert since is None
    assert baskets.group_by("basket").len()["len"].sort().to_list() == [1, 1, 2]


@pytest.mark.parametrize("purchases", [0, 1])
def test_report_on_next_to_nothing(session: Session, purchases: int) -> None:
    if purchases:
        session.add(line(None, "A", day(0)))
        session.flush()
    found = report(session)
    assert len(found["products"]) == purchases
    assert all(row["regular_share"] is None and row["loss_if_delisted"] is None for row in found["products"])
    assert found["notes"]
