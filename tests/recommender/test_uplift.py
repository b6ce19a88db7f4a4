"""Uplift: rows of a randomised log known point by point, a model that finds whom a proposal moves, lists for stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from journey.errors import NotEnoughData
from recommender.uplift import acceptance, backtest, enough_for_uplift, fit_acceptance, fit_uplift
from recommender.uplift_rows import ANSWERS, LONG_AGO, ROW_FEATURES, UpliftFrames, uplift_rows

START = datetime(2026, 3, 1, 3, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def frames(
    lines: list[tuple[str, str, float]], shown: list[tuple[str, str, str, float, str]],
    outcomes: dict[str, str] | None = None, views: list[tuple[str, str, float]] | None = None,
) -> UpliftFrames:  # fmt: skip
    """Lines are customer, product, day; shown are id, customer, product, day, arm."""
    views = views or []
    outcomes = outcomes or {}
    return UpliftFrames(
        pl.DataFrame(
            [(i, c, "s1", at(d), p, arm) for i, c, p, d, arm in shown],
            schema={"suggestion_id": pl.String, "customer_id": pl.String, "store_id": pl.String, "shown_at": MOMENT,
                    "product_id": pl.String, "arm": pl.String}, orient="row",
        ),
        pl.DataFrame({"suggestion_id": list(outcomes), "result": list(outcomes.values())},
                     schema={"suggestion_id": pl.String, "result": pl.String}),
        pl.DataFrame(
            [(c, "s1", p, at(d), 1.0) for c, p, d in lines],
            schema={"customer_id": pl.String, "store_id": pl.String, "product_id": pl.String, "sold_at": MOMENT,
                    "quantity": pl.Float64}, orient="row",
        ),
        pl.DataFrame(
            [(c, p, at(d), "view") for c, p, d in views],
            schema={"customer_id": pl.String, "product_id": pl.String, "occurred_at": MOMENT, "kind": pl.String},
            orient="row",
        ),
        pl.DataFrame({"product_id": ["tea", "jam", "bun"], "category": ["drink > tea", "food > jam", "food > bun"],
                      "price": [100.0, 200.0, 300.0]}),
    )  # fmt: skip


LINES = [("ann", "tea", 0), ("ann", "jam", 0), ("ann", "tea", 10), ("ann", "tea", 20.1), ("bob", "tea", 5)]
SHOWN = [
    ("g1", "ann", "tea", 20, "treated"), ("g2", "ann", "bun", 20, "treated"), ("g3", "ann", "bun", 30, "treated"),
    ("h1", "bob", "tea", 4.9, "holdout"),
]  # fmt: skip


def test_rows_by_hand() -> None:
    found = uplift_rows(frames(LINES, SHOWN, {"g1": "bought", "g2": "declined"}, [("ann", "bun", 18)]))
    rows = {row["suggestion_id"]: row for row in found.iter_rows(named=True)}
    tea = rows["g1"]
    assert (tea["treated"], tea["bought"], tea["bought_before"], tea["baskets"]) == (True, True, 2, 2)
    assert (tea["days_since_bought"], tea["gap"], tea["due"]) == (10.0, 10.0, 1.0)
    assert (tea["category_before"], tea["basket_lines"], tea["asked_n"]) == (2, 1.5, 0)
    bun = rows["g2"]
    assert (bun["bought"], bun["bought_before"], bun["is_new"], bun["viewed_days"]) == (False, 0, 1.0, 2.0)
    later = rows["g3"]  # ten days on: one of two proposals was accepted, the new one was not
    assert (later["asked_n"], later["asked_new_n"]) == (2, 1)
    assert later["asked_rate"] == pytest.approx((1 + 0.4) / (2 + 4))
    assert later["asked_new_rate"] == pytest.approx(0.4 / 5)
    held = rows["h1"]
    assert (held["treated"], held["bought"], held["bought_before"]) == (False, True, 0)
    assert held["days_since_bought"] == LONG_AGO


def test_nothing_after_the_moment_reaches_a_feature() -> None:
    outcomes = {"g1": "bought", "g2": "declined"}
    before = uplift_rows(frames(LINES, SHOWN, outcomes)).filter(pl.col("suggestion_id").is_in(["g1", "g2", "h1"]))
    later = [*LINES, ("ann", "bun", 20), ("ann", "bun", 21), ("bob", "jam", 4.95)]
    after = uplift_rows(
        frames(later, [*SHOWN, ("g4", "ann", "jam", 20, "treated")], outcomes, [("ann", "bun", 20.5)])
    ).filter(pl.col("suggestion_id").is_in(["g1", "g2", "h1"]))
    for name in (*ROW_FEATURES, *ANSWERS):
        assert before[name].to_list() == after[name].to_list(), name


def test_questions_get_the_features_of_their_moment() -> None:
    asked = pl.DataFrame({"customer_id": ["ann", "eve"], "product_id": ["tea", "jam"], "shown_at": [at(20)] * 2},
                         schema_overrides={"shown_at": MOMENT})  # fmt: skip
    found = uplift_rows(frames(LINES, SHOWN), asked)
    assert found["bought_before"].to_list() == [2, 0]
    assert found["baskets"].to_list() == [2, 0]


def experiment(n: int, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows with a planted law: who is due buys anyway, who answered well before is moved by a proposal."""
    random = np.random.default_rng(seed)
    columns = {name: random.random(n) for name in (*ROW_FEATURES, *ANSWERS)}
    due, friendly = columns["due"] > 0.6, columns["asked_rate"] > 0.5
    treated = random.random(n) < 0.85
    columns["asked_rate"] = np.where(treated, columns["asked_rate"], 0.1)  # nobody ever asked the held out
    alone = np.where(due, 0.5, 0.03)
    effect = np.where(due, 0.02, np.where(friendly, 0.25, 0.04))
    bought = random.random(n) < alone + effect * treated
    return pl.DataFrame(columns | {"treated": treated, "bought": bought, "at": np.arange(n) * 3_600_000_000}), effect


def true_qini(score: np.ndarray, effect: np.ndarray) -> float:
    gain = np.cumsum(effect[np.argsort(-score, kind="stable")]) / len(effect)
    return float(np.mean(gain - gain[-1] * np.linspace(0, 1, len(gain))))


def test_the_uplift_list_finds_whom_a_proposal_moves_and_the_probability_list_whoever_buys_anyway() -> None:
    past, _ = experiment(12_000, 1)
    later, effect = experiment(6_000, 2)
    mine = later["treated"].to_numpy()
    later = later.filter("treated")
    model = fit_uplift(past)
    found = model.predict(later)
    by_uplift, best = true_qini(found.uplift, effect[mine]), true_qini(effect[mine], effect[mine])
    by_chance = true_qini(acceptance(fit_acceptance(past), later), effect[mine])
    assert by_uplift > 0.7 * best
    assert by_chance < 0.3 * best
    assert found.uplift.mean() == pytest.approx(effect[mine].mean(), abs=0.03)
    again = fit_uplift(past).predict(later)
    np.testing.assert_array_equal(again.uplift, found.uplift)
    judged = backtest(past)
    assert judged is not None
    assert len(judged.bought) == pytest.approx(12_000 * 0.35, abs=5)


def test_without_a_hold_out_no_uplift_is_claimed() -> None:
    rows, _ = experiment(2_000, 3)
    alone = rows.filter("treated")
    assert not enough_for_uplift(alone)
    assert backtest(alone) is None
    with pytest.raises(NotEnoughData, match="OSUSUME_HOLDOUT"):
        fit_uplift(alone)
