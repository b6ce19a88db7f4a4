from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import hyp2f1
from sqlalchemy import insert
from sqlalchemy.orm import Session

from analytics.lifetime_value import report
from analytics.purchase_histories import purchase_histories
from analytics.repeat_buying import BuyingModel, fit_buying
from analytics.spend import SpendModel, fit_spend
from journey.errors import InputError, NotEnoughData
from journey.purchases import PosLine
from tests.analytics.cx_record import day, line, masters

PUBLISHED = BuyingModel(0.243, 4.414, 0.793, 2.426, -9582.4)


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> pl.DataFrame:
    return pl.read_csv(shared_data / "cdnow" / "cdnow_customers_summary_with_transactions.csv")


@pytest.mark.real_data
def test_cdnow_buying(cdnow: pl.DataFrame) -> None:
    found = fit_buying(cdnow["x"], cdnow["t_x"], cdnow["T"])
    assert (found.r, found.alpha, found.a, found.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert found.expected_purchases(39, [2], [30.43], [38.86]) == pytest.approx([1.2259], abs=1e-4)


@pytest.mark.real_data
def test_cdnow_spend(cdnow: pl.DataFrame) -> None:
    found = fit_spend(cdnow["x"], cdnow["zbar"])
    assert (found.p, found.q, found.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)


@pytest.mark.real_data
def test_cdnow_from_the_tills(session: Session, shared_data: Path) -> None:
    """The log of purchases through the record, weeks of calibration to the end of September, 39 weeks held out."""
    log = pl.read_csv(shared_data / "cdnow" / "cdnowElog.csv")
    rows = []
    for number, (customer, _, stamp, _, sales) in enumerate(log.iter_rows()):
        sold = datetime.strptime(str(stamp), "%Y%m%d").replace(tzinfo=UTC)
        rows.append(
            {
                "receipt_id": f"R{number}",
                "line_no": 1,
                "store_id": "ec",
                "sold_at": sold,
                "channel": "ec",
                "product_id": "cd",
                "local_day": (sold.date() - date(1970, 1, 1)).days,
                "customer_id": f"{customer:05d}",
                "quantity": 1.0,
                "amount": sales,
            }
        )
    session.execute(insert(PosLine), rows)
    found = report(session, end=date(1997, 9, 30), unit="week", horizon=39)
    model = found["model"]
    assert model["customers"] == 2357
    assert (model["r"], model["alpha"], model["a"], model["b"]) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert (model["p"], model["q"], model["v"]) == pytest.approx((6.25, 3.74, 15.44), abs=0.2)
    first = next(row for row in found["customers"] if row["customer_id"] == "00004")
    assert first["expected_purchases"] == pytest.approx(1.2259, abs=2e-3)
    check = found["calibration"]
    assert check["length"] == pytest.approx(39, abs=0.2)
    assert 0.8 < check["ratio"] < 1.1  # published: within a few per cent below the actual
    assert [row["purchases"] for row in check["bins"]] == list(range(8))
    assert sum(row["customers"] for row in check["bins"]) == 2357


@pytest.mark.parametrize("horizon", [1.0, 39.0, 500.0])
def test_quadrature_agrees_with_the_closed_form(horizon: float) -> None:
    x, t_x, T = np.array([0, 1, 2, 5, 29.0]), np.array([0, 5, 30, 38, 37.0]), np.full(5, 39.0)
    m = PUBLISHED
    tail = hyp2f1(m.r + x, m.b + x, m.a + m.b + x - 1, horizon / (m.alpha + T + horizon))
    closed = (m.a + m.b + x - 1) / (m.a - 1) * (1 - ((m.alpha + T) / (m.alpha + T + horizon)) ** (m.r + x) * tail)
    assert m.expected_purchases(horizon, x, t_x, T) == pytest.approx(closed * m.alive(x, t_x, T), rel=1e-9)


def test_very_many_purchases_stay_finite() -> None:
    found = PUBLISHED.expected_purchases(52.0, [5000.0], [51.99], [52.0])
    assert 3000 < found[0] < 6000


def test_the_model_finds_the_law_it_was_drawn_from() -> None:
    draw = np.random.default_rng(8)
    n = 4000
    rate, leave, T = draw.gamma(0.8, 1 / 6.0, n), draw.beta(0.9, 3.0, n), draw.uniform(20, 60, n)
    x, t_x = np.zeros(n), np.zeros(n)
    for i in range(n):
        at = 0.0
        while draw.random() >= (leave[i] if x[i] or at else 0.0):
            at += draw.exponential(1 / rate[i])
            if at > T[i]:
                break
            x[i], t_x[i] = x[i] + 1, at
    found = fit_buying(x, t_x, T)
    assert found.r == pytest.approx(0.8, rel=0.12)
    assert found.r / found.alpha == pytest.approx(0.8 / 6, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.9, rel=0.15)


def test_spend_leans_on_the_population_when_little_is_known() -> None:
    model = SpendModel(6.25, 3.74, 15.44, 36.0)
    assert model.expected_amount([0, 1, 100], [0.0, 100.0, 100.0]) == pytest.approx(
        [model.population_mean, 6.25 * (15.44 + 100) / (6.25 + 2.74), 6.25 * (15.44 + 10000) / (625 + 2.74)]
    )


@pytest.mark.parametrize("customers", [0, 1, 29])
def test_few_customers_are_said_to_be_few(customers: int) -> None:
    with pytest.raises(NotEnoughData, match="too few"):
        fit_buying(np.ones(customers), np.ones(customers), np.full(customers, 2.0))
    with pytest.raises(NotEnoughData):
        fit_spend(np.ones(min(customers, 9)), np.ones(min(customers, 9)))


def test_impossible_histories_are_refused() -> None:
    with pytest.raises(InputError):
        fit_buying(np.ones(40), np.full(40, 9.0), np.full(40, 5.0))


def test_histories(session: Session) -> None:
    masters(session, customers=2)
    session.add_all(
        [
            line("C0", "P0", day(0), amount=100),
            line("C0", "P1", day(0, 2), amount=50),
            line("C0", "P1", day(3), amount=70),
            line("C0", "P1", day(3), amount=-70, quantity=-1.0),
            line("C0", "P1", day(9), amount=90),
            line("C0", "P1", day(50), amount=90),
            line("C1", "P1", day(2), amount=-20, quantity=-1.0),
        ]
    )
    session.flush()
    last = (day(10) + timedelta(hours=9)).date() - date(1970, 1, 1)
    found = purchase_histories(session, last.days).to_dicts()
    assert len(found) == 1
    assert (found[0]["x"], found[0]["mean_amount"], found[0]["spend"]) == (2, 80.0, 310.0)
    assert found[0]["latest_day"] - found[0]["first_day"] == 9
    assert found[0]["tier"] == "silver"


def test_report_of_customers_who_are_all_alike(session: Session) -> None:
    """Everybody comes weekly: nothing tells people apart, and the report must still be of use."""
    masters(session, customers=60)
    for c in range(60):
        session.add_all([line(f"C{c}", "P00", day(7 * week + c % 7)) for week in range(8)])
    session.flush()
    found = report(session, unit="day", horizon=28)
    assert all(3 < row["expected_purchases"] < 5 for row in found["customers"])
    assert all(row["p_alive"] > 0.9 for row in found["customers"])
    assert all(300 < row["expected_value"] < 500 for row in found["customers"])
    assert found["notes"]
    assert [row["tier"] for row in found["segments"]] == ["gold", "silver"]
    assert found["calibration"]["ratio"] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("purchases", [0, 1])
def test_report_on_next_to_nothing(session: Session, purchases: int) -> None:
    if purchases:
        session.add(line("C0", "P00", day(0)))
        session.flush()
    found = report(session)
    assert found["model"] | {"customers": 0} == {
        "r": None, "alpha": None, "a": None, "b": None, "p": None, "q": None, "v": None, "unit": "week", "customers": 0,
        "log_likelihood": None,
    }  # fmt: skip
    assert found["customers"] == []
    assert found["notes"]


def test_units_and_horizons_are_checked(session: Session) -> None:
    with pytest.raises(InputError, match="fortnight"):
        report(session, unit="fortnight")
    with pytest.raises(InputError, match="horizon"):
        report(session, horizon=0)
