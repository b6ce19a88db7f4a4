"""Skills on chains with known truth: coverage, false alarms, finding the best; and the corners."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from analytics.case_mix import spreads
from analytics.shrinkage import fit_skills, shrink_rates, shrink_ratios
from analytics.staff_success import staff_success
from journey.errors import InputError
from tests.analytics.chains import chain


def test_intervals_cover_the_true_rates_and_skills() -> None:
    covered_rate, covered_skill = [], []
    for seed in range(14):
        truth = chain(seed)
        clerks = staff_success(truth.cells).clerks.sort("clerk_id")
        low, high = clerks["low"].to_numpy(), clerks["high"].to_numpy()
        covered_rate.append(np.mean((low <= truth.rate) & (truth.rate <= high)))
        low, high = clerks["skill_low"].to_numpy(), clerks["skill_high"].to_numpy()
        covered_skill.append(np.mean((low <= truth.skill) & (truth.skill <= high)))
    assert 0.92 <= np.mean(covered_rate) <= 0.98
    assert 0.92 <= np.mean(covered_skill) <= 0.98


def test_standardised_rates_compare_clerks_on_one_case_mix() -> None:
    # Alike in skill, one works where customers buy twice as often; thirty others make the stores known.
    rows = []
    for store, rate in (("A", 0.2), ("B", 0.4)):
        for number in range(15):
            extra = (-10, 0, 10)[number % 3]
            rows.append((f"{store}{number:02d}", store, 500, int(500 * rate) + extra))
    cells = pl.DataFrame(rows, schema=["clerk_id", "store_id", "proposed", "accepted"], orient="row")
    clerks = staff_success(cells).clerks.sort("clerk_id")
    a, b = clerks.row(1, named=True), clerks.row(16, named=True)
    assert b["shrunk_rate"] > a["shrunk_rate"] + 0.15
    assert abs(b["standardised_rate"] - a["standardised_rate"]) < 0.03
    assert a["standardised_low"] < 0.3 < a["standardised_high"]


@pytest.mark.parametrize("clerks", [1, 3, 12])
def test_all_clerks_together_are_expected_to_reach_what_they_did(clerks: int) -> None:
    truth = chain(5, stores=1, clerks=clerks)
    found = staff_success(truth.cells).clerks
    expected = (found["expected"] * found["proposed"]).sum()
    assert expected == pytest.approx(found["accepted"].sum(), rel=1e-4)


def test_average_clerks_are_hardly_ever_flagged() -> None:
    flagged = total = 0
    for seed in range(12):
        truth = chain(seed, average_share=0.5)
        clerks = staff_success(truth.cells).clerks.sort("clerk_id")
        average = truth.skill == 0
        flagged += int(clerks["flag"].str.ends_with("_998").to_numpy()[average].sum())
        total += int(average.sum())
    assert total > 200
    assert flagged / total <= 0.01


def test_an_outstanding_clerk_is_flagged() -> None:
    cells = pl.DataFrame(
        {
            "clerk_id": [f"K{i:02d}" for i in range(20)],
            "store_id": ["001"] * 20,
            "proposed": [500] * 20,
            "accepted": [*(100 + (7 * i) % 23 - 11 for i in range(19)), 260],
        }
    )
    clerks = staff_success(cells).clerks.sort("clerk_id")
    assert clerks["flag"].to_list()[-1] == "high_998"
    assert not any(flag.endswith("_998") for flag in clerks["flag"].to_list()[:-1])
    assert clerks["p_top_fifth"].to_list()[-1] > 0.99


def test_the_top_fifth_is_found_better_than_by_raw_rates() -> None:
    ours, raw = [], []
    for seed in range(8):
        truth = chain(seed, stores=6, clerks=10, proposals=300, store_sd=0.3)
        clerks = staff_success(truth.cells).clerks.sort("clerk_id")
        best = truth.skill >= np.quantile(truth.skill, 0.8)
        ours.append(roc_auc_score(best, clerks["p_top_fifth"]))
        raw.append(roc_auc_score(best, clerks["rate"]))
    assert np.mean(ours) > np.mean(raw) + 0.02


def test_good_customers_do_not_make_a_good_clerk() -> None:
    # Two clerks of the same skill; one is given the customers who buy anyway.
    rng = np.random.default_rng(3)
    easy = np.concatenate([np.full(2000, 0.9), np.full(2000, 0.1), np.tile([0.1, 0.9], 4000)])
    clerk = np.repeat(["A", "B", "C", "D", "E", "F"], 2000)
    is_easy = rng.random(clerk.size) < easy
    accepted = rng.random(clerk.size) < np.where(is_easy, 0.45, 0.15)
    cells = pl.DataFrame(
        {
            "clerk_id": clerk,
            "store_id": ["1"] * clerk.size,
            "tier": np.where(is_easy, "gold", "none"),
            "proposed": [1] * clerk.size,
            "accepted": accepted.astype(int),
        }
    )
    clerks = staff_success(cells).clerks.sort("clerk_id")
    a, b = clerks.row(0, named=True), clerks.row(1, named=True)
    assert a["rate"] > b["rate"] + 0.15
    assert abs(a["skill"] - b["skill"]) < 0.2
    assert a["oe"] == pytest.approx(1, abs=0.08)
    assert b["oe"] == pytest.approx(1, abs=0.2)


def test_one_clerk_with_one_proposal_is_shown_not_judged() -> None:
    cells = pl.DataFrame(
        {"clerk_id": ["K1"], "store_id": ["001"], "shown": [1], "proposed": [1], "accepted": [1], "confirmed": [0]}
    )
    success = staff_success(cells)
    row = success.clerks.row(0, named=True)
    assert (row["shown"], row["proposed"], row["accepted"], row["flag"], row["ranked"]) == (1, 1, 1, "none", False)
    assert row["rate"] == 1
    assert row["low"] < 0.35
    assert row["high"] > 0.9
    assert 0.05 < row["p_top_fifth"] < 0.6
    assert success.funnel is not None
    assert success.funnel.tau2 == 0


def test_a_clerk_who_proposed_nothing_has_no_rate() -> None:
    cells = pl.DataFrame(
        {
            "clerk_id": ["K1", "K2"],
            "store_id": ["001", "001"],
            "shown": [50, 40],
            "proposed": [0, 40],
            "accepted": [0, 10],
        }
    )
    row = staff_success(cells).clerks.sort("clerk_id").row(0, named=True)
    assert row["rate"] is None
    assert row["oe"] is None
    assert row["low"] < 0.2 < row["high"]


def test_nothing_shown_gives_an_empty_report() -> None:
    cells = pl.DataFrame(schema={"clerk_id": pl.String, "store_id": pl.String, "shown": pl.Int64})
    success = staff_success(cells)
    assert success.clerks.is_empty()
    assert success.average is None


def test_equal_groups_do_not_let_the_prior_run_away() -> None:
    # The likelihood of these five equal groups is highest where all rates are the same.
    shrunk = shrink_rates([19, 20, 21, 20, 20], [100] * 5)
    assert np.all(np.diff(np.stack([shrunk.low, shrunk.mean, shrunk.high]), axis=0) > 0.02)
    assert np.ptp(shrunk.mean) < 0.01
    ratios = shrink_ratios([19, 20, 21, 20, 20], [20.0] * 5)
    assert np.all(ratios.high - ratios.low > 0.2)


def test_rates_are_pulled_to_the_mean_and_the_small_ones_most() -> None:
    shrunk = shrink_rates([9, 90, 20, 200, 18, 210], [10, 100, 100, 1000, 100, 1000])
    raw = np.array([0.9, 0.9, 0.2, 0.2, 0.18, 0.21])
    assert shrunk.prior_mean < shrunk.mean[0] < shrunk.mean[1] < 0.9
    assert np.all(np.abs(shrunk.mean - shrunk.prior_mean) <= np.abs(raw - shrunk.prior_mean) + 0.02)
    assert np.all((shrunk.low < shrunk.mean) & (shrunk.mean < shrunk.high))


@pytest.mark.parametrize("kind", ["rates", "ratios"])
def test_shrunken_intervals_cover(kind: str) -> None:
    covered = []
    for seed in range(7):
        rng = np.random.default_rng(seed)
        if kind == "rates":
            true, n = rng.beta(8, 32, 30), rng.integers(5, 120, 30)
            shrunk = shrink_rates(rng.binomial(n, true), n)
        else:
            true, e = rng.gamma(15, 1 / 15, 30), rng.uniform(2, 30, 30)
            shrunk = shrink_ratios(rng.poisson(true * e), e)
        covered.append(np.mean((shrunk.low <= true) & (true <= shrunk.high)))
    assert 0.9 <= np.mean(covered) <= 0.99


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(InputError, match="successes outside"):
        shrink_rates([3], [2])


def test_an_uncertain_offset_widens_the_skill_but_not_the_rate() -> None:
    one = np.zeros(1, dtype=np.intp)
    rows = (np.array([60.0]), np.array([200.0]), np.array([-0.8]), one)
    sure = fit_skills(*rows)
    unsure = fit_skills(*rows, offset_variance=np.array([0.25]))
    width = [float((p.quantile(0.975) - p.quantile(0.025))[0]) for p in (sure, unsure)]
    assert width[1] > 1.5 * width[0]
    rates = [float(np.diff(p.rates()[1:], axis=0)[0, 0]) for p in (sure, unsure)]
    assert rates[1] == pytest.approx(rates[0], rel=0.15)


@pytest.mark.parametrize("setting", [{}, {"skill_sd": 0.1}, {"stores": 1, "clerks": 6}])
def test_a_finer_grid_of_spreads_says_the_same(monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any]) -> None:
    cells = chain(2, **setting).cells
    usual = staff_success(cells).clerks.sort("clerk_id")
    monkeypatch.setattr(spreads, "CLERK_NODES", np.geomspace(0.002, 5.0, 100))
    monkeypatch.setattr(spreads, "STORE_NODES", np.geomspace(0.002, 5.0, 40))
    monkeypatch.setattr(spreads, "SURE", 1e-6)  # never a narrower grid
    finer = staff_success(cells).clerks.sort("clerk_id")
    width = (finer["skill_high"] - finer["skill_low"]).to_numpy()
    for end in ("skill_low", "skill_high"):
        assert np.abs(usual[end].to_numpy() - finer[end].to_numpy()).max() < 0.02 * width.min()
