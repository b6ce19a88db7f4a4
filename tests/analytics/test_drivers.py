from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.driver_order import Order, order_of
from analytics.drivers import driver_analysis, priority_fields, report
from tests.analytics.cx_record import answer, day, masters

TOUCHPOINTS = ["store", "web", "call"]


def population_shares(slopes: list[float], noise: float) -> np.ndarray:
    """LMG of independent touchpoints of unit variance: the squared slopes over the variance of the outcome."""
    squares = np.square(slopes)
    return squares / (squares.sum() + noise**2)


def draw_sheets(seed: int, n: int, missing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3))
    y = x @ [0.8, 0.5, 0.2] + draw.normal(size=n)
    x[draw.random(x.shape) < missing] = np.nan
    return x, y


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_true_drivers_in_order_and_intervals_cover(missing: float) -> None:
    truth = population_shares([0.8, 0.5, 0.2], 1.0)
    inside = 0
    for seed in range(40):
        x, y = draw_sheets(seed, 400, missing)
        found = driver_analysis(x, y, TOUCHPOINTS, repeats=100, seed=seed)
        by_name = {d.name: d for d in found.drivers}
        assert found.drivers[0].name == "store"
        for share, name in zip(truth, TOUCHPOINTS, strict=True):
            low, high = by_name[name].low, by_name[name].high
            assert low is not None
            assert high is not None
            inside += low <= share <= high
    assert 105 <= inside <= 120  # of 120, for 95 % intervals


def test_an_order_is_told_only_where_it_is_certain_and_then_it_is_the_true_one() -> None:
    truth = population_shares([0.8, 0.7, 0.2], 1.0)
    told = wrong = certain = 0
    for seed in range(30):
        draw = np.random.default_rng([seed, 5])
        x = draw.normal(size=(500, 3))
        found = driver_analysis(x, x @ [0.8, 0.7, 0.2] + draw.normal(size=500), TOUCHPOINTS, repeats=100, seed=seed)
        place = {d.name: d.order for d in found.drivers}
        for i, a in enumerate(TOUCHPOINTS):
            for j, b in enumerate(TOUCHPOINTS):
                first, second = place[a], place[b]
                assert first is not None
                assert second is not None
                if first.place_high < second.place_low:
                    told += 1
                    wrong += truth[i] < truth[j]
        certain += found.drivers[2].order == Order(None, 3, 3, 0.0)
    # the third is far below: always told so; the first two are near each other: mostly told as a tie
    assert certain == 30
    assert 60 <= told < 80
    assert wrong <= 1


def test_places_by_hand() -> None:
    draws = [[3.0, 2.0, 1.0], [2.0, 3.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]
    first, second, third = order_of([2.8, 2.2, 1.0], draws)
    assert (first.above_next, first.place_low, first.place_high, first.strong) == (0.75, 1, 2, 0.75)
    assert (second.above_next, second.place_low, second.place_high) == (1.0, 1, 2)
    assert (third.above_next, third.place_low, third.place_high, third.strong) == (None, 3, 3, 0.0)


@pytest.mark.real_data
def test_mobi(shared_data: Path) -> None:
    names = [f"PERQ{i}" for i in range(2, 8)]
    table = pl.read_csv(shared_data / "drivers" / "mobi_mobi.csv", infer_schema_length=None)
    found = driver_analysis(table.select(names).to_numpy(), table["CUSL3"].to_numpy(), names, repeats=50)
    assert found.r2 == pytest.approx(0.293646, abs=1e-6)
    assert [d.name for d in found.drivers][:3] == ["PERQ3", "PERQ7", "PERQ2"]
    assert all(d.low is not None and d.high is not None and d.low <= d.lmg <= d.high for d in found.drivers)


def test_few_or_equal_answers_are_named_not_numbered() -> None:
    x = np.column_stack([np.arange(40.0), np.full(40, 7.0), np.where(np.arange(40) < 5, 1.0, np.nan)])
    found = driver_analysis(x, np.arange(40.0), TOUCHPOINTS, repeats=10)
    assert [d.name for d in found.drivers] == ["store"]
    assert any(note.startswith("web") for note in found.notes)
    assert any(note.startswith("call: 5 answers") for note in found.notes)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_little_gives_no_number(n: int) -> None:
    found = driver_analysis(np.ones((n, 3)), np.arange(float(n)), TOUCHPOINTS)
    assert (found.r2, found.drivers, found.n) == (None, (), n)
    assert found.notes


def test_the_bootstrap_draws_people() -> None:
    x, y = draw_sheets(1, 60)
    once = driver_analysis(x, y, TOUCHPOINTS, repeats=200)
    tenfold = driver_analysis(
        np.tile(x, (10, 1)), np.tile(y, 10), TOUCHPOINTS, people=np.tile(np.arange(60), 10), repeats=200
    )
    assert tenfold.drivers[0].low == pytest.approx(once.drivers[0].low, abs=1e-6)


def test_map() -> None:
    assert priority_fields([80, 40, 40, 80], [0.3, 0.3, 0.1, 0.1]) == ["keep", "improve_first", "watch", "leave"]
    assert priority_fields([], []) == []


def test_report_from_the_record(session: Session) -> None:
    masters(session, customers=80)
    draw = np.random.default_rng(9)
    for i in range(80):
        store, web = (int(v) for v in draw.integers(1, 11, 2))
        sheet = {"customer_id": f"C{i}"}
        session.add(
            answer(f"A{i}", "overall", min(10, max(1, store + int(draw.integers(-1, 2)))), day(i % 30), **sheet)
        )
        session.add(answer(f"A{i}", "touchpoint", store, day(i % 30), touchpoint="store", **sheet))
        session.add(answer(f"A{i}", "touchpoint", -99 if i < 10 else web, day(i % 30), touchpoint="web", **sheet))
    session.flush()
    found = report(session, repeats=50)
    assert (found["kgi"], found["n"]) == ("overall", 80)
    store_row, web_row = found["drivers"]
    assert set(store_row) >= {"touchpoint", "lmg", "johnson", "low", "high", "performance", "field"}
    assert store_row["touchpoint"] == "store"
    assert store_row["lmg"] > 0.8
    assert web_row["n"] == 70
    assert 0 <= web_row["performance"] <= 100


def test_report_without_answers(session: Session) -> None:
    found = report(session)
    assert (found["r2"], found["n"], found["drivers"]) == (None, 0, [])
    assert found["notes"]
