from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recommender.dataset import Dataset
from recommender.evaluation import evaluate, leave_last_basket
from recommender.truth import next_baskets
from tests.recommender.purchases import table_lines, two_tastes


@pytest.fixture(scope="module")
def found() -> dict:  # type: ignore[type-arg]
    record, truth = leave_last_basket(Dataset.from_frames(two_tastes(customers=170, baskets=4)))
    return evaluate(record, truth, ks=(5, 10), budget_minutes=0.1)


def test_every_model_is_judged_three_ways(found: dict) -> None:  # type: ignore[type-arg]
    json.dumps(found)
    assert {"ranker", "tifuknn", "top_frequency", "repeat", "cosine", "als", "popular"} <= set(found["models"])
    for by_kind in found["models"].values():
        assert set(by_kind) == {"all", "repeat", "explore"}
        for metrics in by_kind.values():
            assert set(metrics) == {f"{name}@{k}" for name in ("recall", "ndcg", "phr") for k in (5, 10)}
            for interval in metrics.values():
                assert interval["low"] <= interval["value"] <= interval["high"]


def test_the_ranker_beats_popularity_for_certain(found: dict) -> None:  # type: ignore[type-arg]
    lead = found["ranker_lead"]["popular"]
    assert lead["all"]["recall@5"]["low"] > 0
    assert lead["explore"]["recall@5"]["low"] > 0


def test_the_lead_over_the_best_other_model_is_paired(found: dict) -> None:  # type: ignore[type-arg]
    for kind, by_metric in found["ranker_lead_over_best"].items():
        for metric, lead in by_metric.items():
            others = {name: m[kind][metric]["value"] for name, m in found["models"].items() if name != "ranker"}
            assert others[lead["model"]] == max(others.values())
            mine = found["models"]["ranker"][kind][metric]["value"]
            assert lead["value"] == pytest.approx(mine - others[lead["model"]], abs=2e-5)
            assert lead["low"] <= lead["value"] <= lead["high"]


def test_repeat_lists_know_no_new_product(found: dict) -> None:  # type: ignore[type-arg]
    assert found["models"]["repeat"]["explore"]["recall@10"]["value"] == 0
    assert found["models"]["ranker"]["repeat"]["recall@10"]["value"] > 0.5


def test_the_last_basket_is_not_in_the_record() -> None:
    whole = Dataset.from_frames(table_lines())
    record, truth = leave_last_basket(whole)
    assert truth.customer_ids == ["ann", "bob", "cyd"]
    assert len(record.carded) == len(whole.carded) - 3
    assert truth.repeat_sizes.tolist() == [1, 1, 0], "ann's bread and bob's milk again; all else was new"
    assert truth.new_sizes.tolist() == [1, 1, 1]


def test_the_next_basket_after_a_moment() -> None:
    as_of = datetime(2026, 3, 4, tzinfo=UTC)
    dataset = Dataset.from_frames(table_lines(), as_of=as_of)
    truth = next_baskets(table_lines(), dataset)
    assert truth.customer_ids == ["ann", "bob", "cyd"]
    assert truth.sizes.tolist() == [2, 2, 1]
    assert truth.new_sizes.tolist() == [1, 1, 1]
    until = next_baskets(table_lines(), dataset, until=datetime(2026, 3, 5, tzinfo=UTC))
    assert until.customer_ids == ["bob"]


@pytest.mark.real_data
@pytest.mark.slow
def test_on_a_real_wholesaler_the_ranker_beats_every_model_alone(shared_data: Path) -> None:
    folder = shared_data / "uci-retail"
    lines = pl.read_csv(folder / "pos_lines.csv.gz", infer_schema=False).with_columns(
        pl.col("sold_at").str.to_datetime("%+", time_unit="us", time_zone="UTC"), pl.col("quantity").cast(pl.Float64)
    )
    some = lines["customer_id"].drop_nulls().unique().sort().gather_every(4)
    lines = lines.filter(pl.col("customer_id").is_in(some.implode()))
    record, truth = leave_last_basket(Dataset.from_frames(lines))
    found = evaluate(record, truth, ks=(10,), budget_minutes=0.1)
    best = max(by_kind["all"]["recall@10"]["value"] for name, by_kind in found["models"].items() if name != "ranker")
    assert found["models"]["ranker"]["all"]["recall@10"]["value"] > best
