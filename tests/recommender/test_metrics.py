from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.batch import rank
from recommender.dataset import Dataset
from recommender.metrics import bootstrap, expected_calibration_error, judge
from recommender.training import train
from recommender.truth import judge_lists, truth_from, truth_of
from recommender.views import View
from tests.recommender.purchases import two_tastes


def test_metrics_by_hand() -> None:
    hits = np.array([[True, False, True], [False, False, False], [False, True, False]])
    values = judge(hits, np.array([2, 1, 4]), (1, 3)).values
    assert values["recall@1"].tolist() == [0.5, 0, 0]
    assert values["recall@3"].tolist() == [1, 0, 0.25]
    assert values["phr@3"].tolist() == [1, 0, 1]
    ideal4 = 1 + 1 / np.log2(3) + 1 / 2 + 1 / np.log2(5)
    assert np.allclose(values["ndcg@3"], [1.5 / (1 + 1 / np.log2(3)), 0, (1 / np.log2(3)) / ideal4])


def test_who_bought_nothing_is_left_out() -> None:
    assert judge(np.array([[True], [True]]), np.array([0, 1]), (1,)).values["recall@1"].tolist() == [1]


def test_bootstrap_holds_the_mean_and_is_seeded() -> None:
    values = np.random.default_rng(1).normal(3, 1, 400)
    low, high = bootstrap(values, seed=5)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.25)
    assert bootstrap(values, seed=5) == (low, high)


def test_calibration_error_by_hand() -> None:
    probability = np.repeat(np.array([0.2, 0.8], np.float32), 50)
    outcome = np.concatenate([np.arange(50) < 10, np.arange(50) < 30])
    assert expected_calibration_error(probability, outcome, bins=2) == pytest.approx((0 + 0.2) / 2, abs=1e-6)


def test_the_figures_are_those_of_the_next_basket_scorer(shared_data: Path, tmp_path: Path) -> None:
    """The public scorer is the definition; it is run on our lists and has to find what we say."""
    scorer = shared_data.parent / "checks" / "nbr_score.py"
    if not scorer.exists():
        pytest.skip(f"no scorer at {scorer}")
    lines = two_tastes()
    last = lines.select("customer_id", "sold_at").unique().sort("sold_at").group_by("customer_id").last()
    record = lines.join(last, on=["customer_id", "sold_at"], how="anti")
    bought = lines.join(last, on=["customer_id", "sold_at"]).select("customer_id", "product_id")
    (tmp_path / "extract").mkdir()
    record.write_csv(tmp_path / "extract" / "pos_lines.csv")
    with gzip.open(tmp_path / "truth.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(bought.columns)
        writer.writerows(bought.rows())
    dataset = Dataset.from_frames(record)
    model = train(dataset)
    truth = truth_from(bought, dataset)
    for kind, options in (("all", []), ("explore", ["--explore"])):
        lists = rank(model, truth.customer_ids, kind, 20)
        lists.write_csv(tmp_path / "lists.csv")
        command = [sys.executable, scorer, tmp_path / "lists.csv", tmp_path / "truth.csv.gz", tmp_path / "extract"]
        found = json.loads(subprocess.run([*command, *options], capture_output=True, check=True).stdout)
        ours = judge_lists(lists, truth, dataset, kind).means()
        assert {name: round(value, 4) for name, value in ours.items()} == {name: found[name] for name in ours}


def test_truth_splits_repeat_and_new() -> None:
    dataset = Dataset.from_frames(two_tastes())
    view = View.of(dataset, 1)
    from dataclasses import replace

    rest = replace(dataset, carded=view.history)
    line_customer = view.target.customer[view.target.line_basket]
    truth = truth_of(rest, view.target.customer, line_customer, view.target.product)
    assert (truth.sizes == view.target.sizes).all()
    assert (truth.repeat_sizes + truth.new_sizes == truth.sizes).all()
    assert truth.repeat_sizes.min() >= 2, "everybody buys his two favourites again"
