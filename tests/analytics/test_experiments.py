"""Experiments: published answers, splits, sequential looks, policies valued off-line, uplift; and the report."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.experiments import (
    always_valid,
    arm_of,
    evaluate_policy,
    fit_uplift,
    qini,
    ranking_probabilities,
    report,
    sample_ratio,
)
from analytics.experiments.logged_policies import LOG_SCHEMA, policy_values
from analytics.rates import difference_of_means, difference_of_rates
from journey.errors import InputError, NotEnoughData
from journey.outcomes import Confirmation, Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.suggestions import ClerkTarget, Suggestion

NOON = datetime(2026, 1, 5, 3, tzinfo=UTC)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("outcome", "effect", "low", "high"),
    [
        ("visit", 0.076590, 0.069953, 0.083226),
        ("conversion", 0.006805, 0.005000, 0.008610),
        ("spend", 0.769827, 0.485144, 1.054510),
    ],
)
def test_hillstrom(shared_data: Path, outcome: str, effect: float, low: float, high: float) -> None:
    rows = pl.read_csv(shared_data / "hillstrom" / "mens_vs_none.csv.gz")
    mailed = pl.col("segment") == "Mens E-Mail"
    found = difference_of_means(rows.filter(mailed)[outcome], rows.filter(~mailed)[outcome])
    # The published intervals use 1.96 where the t quantile is 1.96003.
    assert (found.value, found.low, found.high) == pytest.approx((effect, low, high), abs=5e-6)


@pytest.fixture(scope="module")
def bandit(shared_data: Path) -> tuple[pl.DataFrame, pl.DataFrame, np.ndarray]:
    folder = shared_data / "obd"
    section = (folder / "prior_bts.yaml").read_text().split("all:")[1].split("beta:")
    alpha, beta = (np.array(re.findall(r"- ([0-9.]+)", part)[:80], dtype=float) for part in section[:2])
    chosen = ranking_probabilities(alpha, beta, 3)
    return pl.read_csv(folder / "random_all.csv.gz"), pl.read_csv(folder / "bts_all.csv.gz"), chosen


@pytest.mark.real_data
def test_open_bandit(bandit: tuple[pl.DataFrame, pl.DataFrame, np.ndarray]) -> None:
    log, used, chosen = bandit
    target = chosen[log["item_id"].to_numpy(), log["position"].to_numpy() - 1]
    value = evaluate_policy(log["click"], log["propensity_score"], target)
    # The published figures rest on 100,000 simulated rankings, ours on none: they differ by that simulation's error.
    assert value.ipw == pytest.approx(0.004553, abs=1.5e-5)
    assert value.snipw == pytest.approx(0.004776, abs=1.5e-5)
    assert value.ipw / log["click"].mean() == pytest.approx(1.198, abs=5e-3)
    assert used["click"].mean() == pytest.approx(0.0042)
    assert value.low < 0.0042 < value.high
    assert value.ess == pytest.approx(1643, abs=30)
    assert value.verdict == "wide"  # 38 clicks do not carry a choice between policies


@pytest.mark.real_data
def test_open_bandit_as_a_log_of_suggestions(bandit: tuple[pl.DataFrame, pl.DataFrame, np.ndarray]) -> None:
    log = pl.concat(
        frame.select(
            policy=pl.lit(name),
            product_id=pl.col("item_id").cast(pl.String),
            rank="position",
            fold=pl.int_range(pl.len()) % 2,
            propensity="propensity_score",
            n=pl.lit(1),
            rewards=pl.col("click").cast(pl.Float64),
        )
        for name, frame in (("random", bandit[0]), ("bts", bandit[1]))
    ).cast(LOG_SCHEMA)  # type: ignore[arg-type]
    values = {row["policy"]: row for row in policy_values(log)}
    # The sampler learnt while it was logged, so that its own table is not that of its prior.
    assert values["bts"]["ipw"] == pytest.approx(0.004553, abs=8e-4)
    assert values["bts"]["on_policy"] == pytest.approx(0.0042)
    assert values["random"]["on_policy"] == pytest.approx(0.0038)
    assert values["bts"]["low"] < 0.0042 < values["bts"]["high"]
    assert not values["bts"]["chooses_by_context"]
    # From the sampler's log, 80 items at random are hardly covered: a few rows carry all of the weight.
    assert values["random"]["verdict"] != "reliable"
    assert values["random"]["ess"] < 0.3 * values["bts"]["ess"]


def test_estimators_are_right_and_their_intervals_cover() -> None:
    rng = np.random.default_rng(4)
    rates = np.array([0.1, 0.3, 0.5, 0.2])
    behaviour, target = np.array([0.4, 0.3, 0.1, 0.2]), np.array([0.1, 0.2, 0.5, 0.2])
    truth, covered = float(rates @ target), []
    for _ in range(200):
        action = rng.choice(4, 1500, p=behaviour)
        reward = (rng.random(1500) < rates[action]).astype(float)
        model = rates + 0.05  # a model that is wrong everywhere
        value = evaluate_policy(
            reward,
            behaviour[action],
            target[action],
            expected_logged=model[action],
            expected_target=np.full(1500, float(model @ target)),
        )
        covered.append([low <= truth <= high for low, high in (value.intervals[k] for k in ("ipw", "snipw", "dr"))])
        assert value.verdict == "reliable"
        assert value.dm == pytest.approx(truth + 0.05)
    assert np.all(np.abs(np.mean(covered, axis=0) - 0.95) < 0.04)


def test_without_overlap_it_refuses() -> None:
    rng = np.random.default_rng(4)
    action = rng.choice(3, 5000, p=[0.5, 0.4999, 0.0001])
    propensity = np.array([0.5, 0.4999, 0.0001])[action]
    reward = (rng.random(5000) < 0.2).astype(float)
    never_shown = evaluate_policy(reward, propensity, np.array([0.0, 0.0, 1.0])[action])
    assert never_shown.verdict == "no_overlap"
    one_lucky_row = evaluate_policy([1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0])
    assert one_lucky_row.verdict == "no_overlap"
    with pytest.raises(InputError, match="propensities"):
        evaluate_policy([1.0], [0.0], [1.0])


def test_counts_stand_for_rows() -> None:
    rows = evaluate_policy([1, 1, 0, 0, 0], [0.5, 0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.25, 0.5, 0.5])
    added = evaluate_policy([1, 0, 0], [0.5, 0.5, 0.25], [0.25, 0.25, 0.5], count=[2, 1, 2])
    for name in ("ipw", "snipw", "dr", "low", "high", "ess", "max_weight"):
        assert getattr(added, name) == pytest.approx(getattr(rows, name)), name


def test_arms_are_fixed_shared_out_and_independent() -> None:
    shares = {"holdout": 0.1, "a": 0.45, "b": 0.45}
    arms = [arm_of(f"C{i}", "spring", shares) for i in range(20_000)]
    assert arms[:50] == [arm_of(f"C{i}", "spring", shares) for i in range(50)]
    sizes = {arm: arms.count(arm) for arm in shares}
    assert sample_ratio(sizes, shares).ok
    other = [arm_of(f"C{i}", "summer", shares) for i in range(20_000)]
    both = sum(a == b == "holdout" for a, b in zip(arms, other, strict=True))
    assert both == pytest.approx(200, abs=60)
    assert not sample_ratio({"holdout": 2300, "a": 8850, "b": 8850}, shares).ok
    with pytest.raises(InputError, match="sum to"):
        arm_of("C1", "x", {"a": 0.5, "b": 0.4})


def test_looking_every_day_does_not_fool() -> None:
    rng = np.random.default_rng(9)
    naive = always = covered = 0
    looks = np.arange(1, 61)
    for _ in range(300):
        difference = np.cumsum(rng.normal(0, 1, 60))
        variance = 1.0 / looks
        found = always_valid(difference / looks, variance)
        naive += bool(np.any(np.abs(difference / looks) > 1.96 * np.sqrt(variance)))
        always += bool(found.p_value[-1] < 0.05)
        covered += bool(np.all((found.low <= 0) & (found.high >= 0)))
    assert naive / 300 > 0.25
    assert always / 300 <= 0.05
    assert covered / 300 >= 0.95
    moved = always_valid(np.full(60, 0.8), 1.0 / looks)
    assert moved.p_value[-1] < 0.01
    assert moved.low[-1] > 0


def test_a_difference_of_rates_stays_possible() -> None:
    found = difference_of_rates(0, 10, 10, 10)
    assert -1 <= found.low <= found.value == -1
    assert found.high > -1


def test_uplift_finds_the_persuadable() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(8000, 3))
    treated = rng.integers(0, 2, 8000)
    p = 1 / (1 + np.exp(-(-1.5 + 0.8 * X[:, 1] + treated * 1.0 * (X[:, 0] > 0))))
    bought = (rng.random(8000) < p).astype(int)
    model = fit_uplift(X[:4000], treated[:4000], bought[:4000])
    score = model.predict(X[4000:])
    assert score[X[4000:, 0] > 0].mean() > score[X[4000:, 0] <= 0].mean() + 0.08
    good = qini(score, treated[4000:], bought[4000:], replicates=60)
    # Those who would buy anyway are no uplift: the best predictor of buying is a poor guide.
    chance = qini(rng.normal(size=4000), treated[4000:], bought[4000:], replicates=60)
    assert good.low > 0
    assert good.coefficient > 3 * abs(chance.coefficient)
    assert good.gain[-1] == pytest.approx(bought[4000:][treated[4000:] == 1].mean()
                                          - bought[4000:][treated[4000:] == 0].mean(), abs=1e-9)  # fmt: skip
    with pytest.raises(NotEnoughData):
        fit_uplift(X[:12], np.ones(12), bought[:12])


def shown(number: int, arm: str | None, **more: object) -> Suggestion:
    values: dict[str, object] = {
        "suggestion_id": f"S{number}",
        "customer_id": f"C{number}",
        "store_id": "001",
        "shown_at": NOON + timedelta(minutes=number),
        "product_id": f"P{number % 4}",
        "rank": 1,
        "propensity": 0.25,
        "policy": "random",
        "arm": arm,
    }
    return Suggestion(**(values | more))


def test_the_report_by_hand(session: Session) -> None:
    session.add(Product(product_id="P0", name="新商品", category="菓子"))
    session.add(
        ClerkTarget(campaign_id="A", name="新", product_id="P0", starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 31))
    )
    for number in range(40):
        arm = "holdout" if number < 10 else "shown"
        session.add(shown(number, arm, clerk_id=None if number < 10 else "K1"))
        bought = number in (0, 4) or number >= 20
        if bought:
            sold = {"product_id": f"P{number % 4}", "sold_at": NOON + timedelta(hours=2), "quantity": 1}
            session.add(
                PosLine(
                    receipt_id=f"R{number}", line_no=1, store_id="001", local_day=0, customer_id=f"C{number}",
                    amount=Decimal(500), **sold,
                )
            )  # fmt: skip
            session.add(
                Confirmation(
                    suggestion_id=f"S{number}", receipt_id=f"R{number}", line_no=1, sold_at=NOON, first_purchase=True
                )
            )
    # In both arms by mistake: in neither.
    session.add_all([shown(90, "shown", customer_id="X"), shown(91, "holdout", customer_id="X")])
    session.flush()
    found = report(session, shares={"holdout": 0.25, "shown": 0.75})
    rows = {(row["metric"], row["arm"]): row for row in found["arms"]}
    held, given = rows["bought", "holdout"], rows["bought", "shown"]
    assert (held["n"], held["outcome"], held["effect"]) == (10, pytest.approx(0.2), 0)
    assert (given["n"], given["outcome"]) == (30, pytest.approx(20 / 30))
    assert given["effect"] == pytest.approx(20 / 30 - 0.2)
    assert 0 < given["low"] < given["effect"] < given["high"]
    assert given["always_low"] < given["low"]
    assert rows["spend", "shown"]["effect"] == pytest.approx(500 * (20 / 30 - 0.2))
    assert rows["focus_first_purchase", "shown"]["outcome"] == pytest.approx(5 / 30)
    assert rows["focus_first_purchase", "holdout"]["outcome"] == pytest.approx(2 / 10)
    assert found["sample_ratio"]["ok"]
    (policy,) = found["policies"]
    assert (policy["policy"], policy["n"], policy["ipw"]) == ("random", 31, pytest.approx(20 / 31))
    assert policy["verdict"] in {"reliable", "wide"}


def test_two_policies_are_valued_on_each_others_rows(session: Session) -> None:
    rng = np.random.default_rng(0)
    for number in range(600):
        policy = "random" if number % 2 else "favourite"
        chances = [0.25] * 4 if number % 2 else [0.7, 0.1, 0.1, 0.1]
        product = int(rng.choice(4, p=chances))
        session.add(shown(number, "shown", policy=policy, product_id=f"P{product}", propensity=chances[product]))
        result = "bought" if rng.random() < (0.6 if product == 0 else 0.1) else "declined"
        session.add(
            Outcome(outcome_id=f"O{number}", suggestion_id=f"S{number}", clerk_id="K", occurred_at=NOON, result=result)
        )
    session.flush()
    values = {row["policy"]: row for row in report(session)["policies"]}
    assert values["favourite"]["dr"] == pytest.approx(0.7 * 0.6 + 0.3 * 0.1, abs=0.12)
    assert values["random"]["dr"] == pytest.approx(0.25 * 0.6 + 0.75 * 0.1, abs=0.12)
    assert values["favourite"]["n"] == 300
    for row in values.values():
        assert row["low"] <= row["dr"] <= row["high"]
        assert row["verdict"] == "reliable"


def test_no_experiment_no_propensity(session: Session) -> None:
    assert report(session) == {"arms": [], "campaigns": [], "policies": [], "sample_ratio": None}
    session.add(shown(1, None, propensity=None))
    session.flush()
    assert report(session, store="001")["policies"] == []
    session.add(shown(2, "only"))
    session.flush()
    (bought, spend) = report(session)["arms"]
    assert (bought["arm"], bought["n"], bought["effect"], bought["low"]) == ("only", 1, 0, 0)
    assert spend["outcome"] == 0
