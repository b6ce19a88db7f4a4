from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.guard import compare, ndcg, next_baskets
from recommender.trained import ItemNeighbours, RankedLists, TrainedModel

CUT = datetime(2026, 3, 1, tzinfo=UTC)
PRODUCTS = ["A", "B", "C", "D"]


def lines(*rows: tuple[str | None, str, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [(c, p, CUT + timedelta(days=d), q) for c, p, d, q in rows],
        schema={
            "customer_id": pl.String,
            "product_id": pl.String,
            "sold_at": pl.Datetime("us", "UTC"),
            "quantity": pl.Float64,
        },
        orient="row",
    )


def model(favourite: int, customers: list[str], cut_off: datetime = CUT) -> TrainedModel:
    """Proposes one product to everybody."""
    n = len(customers)
    ahead = RankedLists(
        np.arange(n + 1, dtype=np.int64), np.full(n, favourite, np.int32), np.ones(n, np.float32),
        np.full(n, 0.5, np.float32), np.zeros(n, np.bool_), np.zeros(n, np.uint8), np.full(n, -1, np.int32),
        np.zeros(n, np.uint8), np.zeros(n, np.float32),
    )  # fmt: skip
    return TrainedModel(
        cut_off, PRODUCTS, customers, [], ahead, RankedLists.empty(1), ItemNeighbours.empty(4), ItemNeighbours.empty(4),
        {}, {}, {}, 0,
    )  # fmt: skip


def test_only_the_first_day_after_the_moment_is_the_truth() -> None:
    found = next_baskets(
        lines(
            ("X", "A", -1, 1),
            ("X", "B", 1, 1),
            ("X", "C", 1.1, 1),
            ("X", "D", 5, 1),
            ("X", "A", 1, -1),
            (None, "A", 1, 1),
        ),
        CUT,
    )
    assert set(found.iter_rows()) == {("X", "B"), ("X", "C")}


def test_ndcg_by_hand() -> None:
    lists = pl.DataFrame({"customer_id": ["X", "X", "X"], "rank": [1, 2, 3], "product_id": ["D", "A", "B"]})
    truth = pl.DataFrame({"customer_id": ["X", "X", "Y"], "product_id": ["A", "C", "A"]})
    # X: one hit on rank 2 of two bought; Y has no list
    assert ndcg(lists, truth) == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)) / 2)


def test_the_version_that_foresaw_more_is_better_on_what_came_after_both() -> None:
    customers = sorted(f"C{n:03}" for n in range(120))
    bought = lines(*[(c, "B" if n % 4 else "A", 2 + n % 3, 1) for n, c in enumerate(customers)])
    found = compare(model(1, customers, CUT + timedelta(days=1)), model(0, customers), bought)
    assert found is not None
    assert (found.candidate, found.current) == (0.75, 0.25)


def test_too_few_customers_say_nothing() -> None:
    few = [f"C{n}" for n in range(9)]
    assert compare(model(1, few), model(0, few), lines(*[(c, "B", 1, 1) for c in few])) is None
