"""Change points, the trend of one clerk, strengths per category."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import special
from sqlalchemy.orm import Session

from analytics.change_points import stretches
from analytics.staff_success import category_strengths, clerk_trend, report, roll_up
from journey.outcomes import Outcome
from journey.stores import Store
from journey.suggestions import Suggestion


def test_a_steady_series_is_one_stretch() -> None:
    alarms = 0
    for seed in range(100):
        expected = np.full(52, 8.0)
        found = stretches(np.random.default_rng(seed).poisson(expected), expected)
        alarms += len(found) > 1
        assert found[0].low < found[0].ratio < found[0].high
    assert alarms <= 10


def test_a_change_is_dated() -> None:
    weeks, found = [], 0
    for seed in range(60):
        mean = 8.0 * np.where(np.arange(52) < 30, 1, 1.6)
        parts = stretches(np.random.default_rng(seed).poisson(mean), np.full(52, 8.0))
        if len(parts) == 2:
            found += 1
            weeks.append(parts[1].start)
            assert parts[0].ratio < parts[1].ratio
    assert found > 50
    assert np.median(np.abs(np.array(weeks) - 30)) <= 2


def test_binomial_counts_vary_less_than_poisson() -> None:
    # 90 of 100 against 80 expected, three weeks each: nothing for Poisson counts, a change for proportions.
    observed, expected = np.repeat([80.0, 92.0], 6), np.full(12, 80.0)
    assert len(stretches(observed, expected)) == 1
    assert len(stretches(observed, expected, np.full(12, 16.0))) == 2


def test_series_without_anything() -> None:
    assert stretches([], []) == []
    assert stretches([0, 0], [0, 0]) == []
    (only,) = stretches([2], [1])
    assert (only.start, only.end, only.ratio) == (0, 1, 2)


def test_a_clerks_trend_shows_the_week_of_change(session: Session) -> None:
    rng = np.random.default_rng(7)
    session.add(Store(store_id="001", name="本店"))
    monday = datetime(2026, 1, 4, 15, tzinfo=UTC)  # midnight of Monday 5 January in Tokyo
    for week in range(16):
        for clerk in ("K1", "K2", "K3"):
            for number in range(30):
                name = f"{week}-{clerk}-{number}"
                chance = 0.65 if clerk == "K1" and week >= 8 else 0.3
                at = monday + timedelta(weeks=week, hours=10 + number)
                session.add(
                    Suggestion(
                        suggestion_id=name, customer_id=f"C{number}", store_id="001", clerk_id=clerk, shown_at=at,
                        product_id="P", rank=1, score=0.5 + number,
                    )
                )  # fmt: skip
                result = "bought" if rng.random() < chance else "declined"
                session.add(Outcome(outcome_id=name, suggestion_id=name, clerk_id=clerk, occurred_at=at, result=result))
    session.flush()
    roll_up(session, now=monday + timedelta(weeks=17))
    trend = clerk_trend(session, "K1")
    assert [row["week"] for row in trend["weeks"]][:2] == ["2026-01-05", "2026-01-12"]
    assert [row["proposed"] for row in trend["weeks"]] == [30] * 16
    (change,) = trend["changes"]
    assert abs((datetime.fromisoformat(change["week"]) - datetime(2026, 3, 2)).days) <= 14  # noqa: DTZ001 - dates only
    assert change["after"] > 1.4 * change["before"]
    assert clerk_trend(session, "K2")["changes"] == []
    (k1,) = (row for row in report(session)["clerks"] if row["clerk_id"] == "K1")
    weekly = sum(row["expected"] * row["proposed"] for row in trend["weeks"])
    assert weekly == pytest.approx(k1["expected"] * k1["proposed"], rel=1e-6)
    assert clerk_trend(session, "nobody") == {"weeks": [], "changes": []}


def test_strengths_are_against_the_clerks_own_level() -> None:
    rng = np.random.default_rng(3)
    clerks, categories = 12, ("食品", "日用品", "化粧品", "医薬品")
    skill, strength = rng.normal(0, 0.5, clerks), rng.normal(0, 0.4, (clerks, len(categories)))
    strength -= strength.mean(axis=1, keepdims=True)
    thin = (1, 0)
    rows = []
    for clerk in range(clerks):
        for number, category in enumerate(categories):
            proposed = 3 if (clerk, number) == thin else 300
            chance = special.expit(-1 + skill[clerk] + strength[clerk, number])
            accepted = 3 if proposed == 3 else int(rng.binomial(proposed, chance))
            rows.append((f"K{clerk:02d}", "1", category, proposed, accepted))
    cells = pl.DataFrame(rows, schema=["clerk_id", "store_id", "category", "proposed", "accepted"], orient="row")
    found = cells.join(category_strengths(cells), on=["clerk_id", "category"], maintain_order="left")
    truth = strength.ravel()
    assert np.corrcoef(found["strength"].to_numpy(), truth)[0, 1] > 0.85
    covered = (found["low"].to_numpy() <= truth) & (truth <= found["high"].to_numpy())
    assert covered.mean() >= 0.9
    firm = found["verdict"].to_numpy()
    assert np.all(truth[firm == "strength"] > -0.1)
    assert np.all(truth[firm == "weakness"] < 0.1)
    assert (firm != "none").sum() >= 12
    few = found.row(thin[0] * len(categories) + thin[1], named=True)
    assert few["verdict"] == "none"
    assert few["low"] < 0 < few["high"]
    assert category_strengths(cells.clear()).is_empty()
