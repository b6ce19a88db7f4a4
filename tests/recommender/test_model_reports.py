"""What a version says of itself: segments, spread, reliability, drift of its inputs, and what it would change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recommender.baskets import Flags, Floats
from recommender.concentration import concentration, spread
from recommender.dataset import Dataset
from recommender.drift import compared, keep, kept
from recommender.examples import Scene
from recommender.preview import changes, sample, turnover
from recommender.ranker import Examples
from recommender.reliability import reliability, wilson
from recommender.segments import segment_metrics
from recommender.views import View
from tests.recommender.purchases import two_tastes
from tests.recommender.worlds import lists, model, new, own


def scene(view: View) -> tuple[Scene, Flags]:
    """Every product a candidate of every customer who came back, and whether it was bought next."""
    customers, products = view.eligible(), view.products
    line_customer = view.target.customer[view.target.line_basket]
    keys = np.isin(
        (customers[:, None].astype(np.int64) * products + np.arange(products)).ravel(),
        line_customer.astype(np.int64) * products + view.target.product,
    )
    owned = np.asarray(view.owned.todense())[customers].ravel() > 0
    targets = keys.reshape(len(customers), -1).sum(axis=1)
    fresh = (keys & ~owned).reshape(len(customers), -1).sum(axis=1)
    examples = Examples(["x"], np.zeros((len(keys), 1), np.float32), keys, np.full(len(customers), products, np.int64))
    product = np.tile(np.arange(products, dtype=np.int32), len(customers))
    return Scene(examples, customers, product, owned, targets, fresh), keys


def test_segments_tell_apart_for_whom_the_lists_are_right() -> None:
    lines = two_tastes(120)
    ids = lines["customer_id"].unique().sort()
    customers = pl.DataFrame({"customer_id": ids, "tier": ["gold" if int(c[1:]) % 2 else None for c in ids]})
    view = View.of(Dataset.from_frames(lines, customers=customers), 1)
    where, bought = scene(view)
    odd = np.repeat(where.customers % 2 == 1, view.products)
    score: Floats = np.where(odd, bought, ~bought).astype(np.float32)  # right for odd customers, wrong for even ones
    found = segment_metrics(view, where, {"all": score, "explore": score})
    tiers = {entry["segment"]: entry["all"]["recall@10"] for entry in found["tier"]}
    assert tiers["gold"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert tiers["unknown"]["value"] == 0.0
    assert found["overall"][0]["all"]["recall@10"]["value"] == pytest.approx(0.5)
    assert found["overall"][0]["all"]["recall@10"]["low"] < 0.48
    assert {entry["segment"]: entry["n"] for entry in found["store"]} == {"s0": 40, "s1": 40, "s2": 40}
    assert [entry["segment"] for entry in found["history"]] == ["occasional"]
    assert found["overall"][0]["explore"]["n"] == int((where.new_targets > 0).sum())
    assert "category" not in found


def test_segments_too_small_to_judge_are_joined_or_left_out() -> None:
    lines = two_tastes(60).with_columns(store_id=pl.when(pl.col("customer_id") < "c055").then(pl.lit("big")).otherwise(
        pl.lit("small")))  # fmt: skip
    view = View.of(Dataset.from_frames(lines), 1)
    where, bought = scene(view)
    score = bought.astype(np.float32)
    assert [e["segment"] for e in segment_metrics(view, where, {"all": score, "explore": score})["store"]] == ["big"]


def test_spread_by_hand() -> None:
    assert spread(np.array([1.0, 1, 1, 1])) == {"products": 4, "coverage": 1.0, "gini": 0.0, "top10_share": 1.0}
    assert spread(np.array([0.0, 0, 0, 4]))["gini"] == 0.75
    assert spread(np.zeros(3))["coverage"] == 0.0
    of = concentration(model().ahead, 10, np.arange(10, dtype=np.float32))
    assert (of["all"]["products"], of["explore"]["products"]) == (9, 7)
    assert of["sales"]["coverage"] == 0.9


def test_reliability_bins_hold_equally_many_purchases() -> None:
    random = np.random.default_rng(1)
    p = (random.random(40_000) ** 4).astype(np.float32)
    bins = reliability(p, random.random(40_000) < p)
    counts = [bin["n"] * bin["observed"] for bin in bins]
    assert len(bins) == 10
    assert max(counts) - min(counts) < 3
    assert sum(bin["low"] <= bin["stated"] <= bin["high"] for bin in bins) >= 8
    doubled = reliability(p / 2, random.random(40_000) < p)
    assert all(bin["stated"] < bin["low"] for bin in doubled[1:])
    assert wilson(0.0, 10)[1] == pytest.approx(0.2775, abs=1e-3)


def drawn(shares: list[float], n: int, period: str, seed: int) -> pl.DataFrame:
    bins = np.random.default_rng(seed).choice(len(shares), n, p=shares)
    return pl.DataFrame({"period": [period] * n, "bin": [f"b{b}" for b in bins]})


def test_drift_by_hand_and_what_chance_alone_gives_is_none() -> None:
    counted = pl.DataFrame({"period": ["then"] * 200 + ["now"] * 200,
                            "bin": ["a"] * 100 + ["b"] * 100 + ["a"] * 160 + ["b"] * 40})  # fmt: skip
    found = compared("x", counted)
    assert found is not None
    assert found.psi == pytest.approx(0.3 * np.log(0.8 / 0.5) + -0.3 * np.log(0.2 / 0.5), abs=0.02)
    assert found.level == "changed"
    even = [0.1] * 10
    alarms = 0
    for seed in range(200):
        same = compared("x", pl.concat([drawn(even, 400, "then", seed), drawn(even, 120, "now", 1000 + seed)]))
        assert same is not None
        alarms += same.psi > same.noise
    assert 2 <= alarms <= 22  # one in twenty
    assert compared("x", drawn(even, 500, "then", 1)) is None


def test_a_measurement_waits_for_the_page(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path / "models", {"at": "2026-06-01", "shifts": []})
    assert kept(tmp_path / "models") == {"at": "2026-06-01", "shifts": []}


def test_what_would_change_for_a_customer_is_told_place_by_place() -> None:
    old = model()
    products = list(old.product_ids)
    rows = [
        [own("P0", 0.40), own("P1", 0.30), *(new(f"P{n}", 0.2 - n / 100) for n in range(2, 10))],
        [own("P3", 0.50), *(new(f"P{n}", 0.2 - n / 100) for n in (0, 1, 2, 4, 5, 6, 7, 8, 9))],
        [],
    ]
    more = [*products, "PX"]
    fresh = replace(old, ahead=lists(rows, products))
    rows[0][1] = new("PX", 0.35)
    other = replace(old, product_ids=more, ahead=lists(rows, more))
    known = sample(other, fresh, present={"A", "B", "ゑ🍙"}, many=10, salt="v")
    assert sorted(known) == ["A", "B"]
    assert sample(other, fresh, present={"B"}, many=10, salt="v") == ["B"]
    first, second = changes(other, fresh, known)
    assert (first.customer_id, first.stays, second.stays) == ("A", 9, 10)
    assert [(p.product_id, p.is_new) for p in first.candidate if p.moved] == [("PX", True)]
    assert [(p.product_id, p.is_new) for p in first.current if p.moved] == [("P1", False)]
    found = turnover(other, fresh, known)
    assert (found.customers, found.stays, found.unchanged) == (2, 9.5, 0.5)
