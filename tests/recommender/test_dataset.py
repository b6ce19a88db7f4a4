from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.dataset import Dataset
from recommender.views import View
from tests.recommender.purchases import PRODUCTS, table_lines, two_tastes, views_of_last_products


def baskets(dataset: Dataset) -> list[tuple[str, int, list[str]]]:
    table = dataset.carded
    return [
        (
            dataset.customer_ids[table.customer[b]],
            int(table.day[b] - table.day.min() + 1),
            [dataset.product_ids[p] for p in table.product[table.indptr[b] : table.indptr[b + 1]]],
        )
        for b in range(len(table))
    ]


def test_a_basket_is_what_a_customer_bought_on_one_local_day() -> None:
    dataset = Dataset.from_frames(table_lines())
    assert dataset.product_ids == PRODUCTS
    assert baskets(dataset) == [
        ("ann", 1, ["bread", "milk"]),
        ("ann", 3, ["bread"]),
        ("ann", 5, ["bread", "jam"]),  # two receipts of one day; the returned tea is no purchase
        ("bob", 1, ["bread", "milk"]),
        ("bob", 4, ["jam", "milk"]),
        ("cyd", 2, ["jam", "tea"]),
        ("cyd", 6, ["bread"]),
        ("dan", 3, ["tea"]),
    ]
    assert dataset.carded.quantity[:2].tolist() == [2.0, 2.0]
    assert len(dataset.uncarded) == 2, "receipts without a card are kept; a return makes none"


def test_the_day_is_the_stores_own() -> None:
    lines = table_lines([("x", 1, "ann", 1, "bread", 1), ("y", 1, "ann", 2, "milk", 1)])
    late = lines.with_columns(
        sold_at=pl.Series([datetime(2026, 3, 1, 14, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)])
    )
    stores = pl.DataFrame({"store_id": ["s1"], "timezone": ["Europe/London"]})
    assert len(Dataset.from_frames(late, timezone="Asia/Tokyo").carded) == 2
    assert len(Dataset.from_frames(late, stores=stores, timezone="Asia/Tokyo").carded) == 1


def test_nothing_from_the_cut_off_on_gets_in() -> None:
    as_of = datetime(2026, 3, 5, 3, tzinfo=UTC)
    dataset = Dataset.from_frames(table_lines(), as_of=as_of)
    assert [name for name, _, _ in baskets(dataset)] == ["ann", "ann", "bob", "bob", "cyd", "dan"]
    earlier = table_lines().filter(pl.col("sold_at") < as_of)
    assert baskets(dataset) == baskets(Dataset.from_frames(earlier, as_of=as_of))


def test_a_cut_off_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        Dataset.from_frames(table_lines(), as_of=datetime(2026, 3, 5))  # noqa: DTZ001 - the naive time is the case


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="product_id"):
        Dataset.from_frames(table_lines().drop("product_id"))


def test_a_view_cuts_the_last_baskets_and_keeps_who_has_no_more() -> None:
    dataset = Dataset.from_frames(table_lines())
    view = View.of(dataset, 1)
    names = [dataset.customer_ids[c] for c in view.target.customer]
    assert names == ["ann", "bob", "cyd"]
    assert [PRODUCTS[p] for p in view.target.product] == ["bread", "jam", "jam", "milk", "bread"]
    assert view.counts.tolist() == [2, 1, 1, 1]
    two = View.of(dataset, 2)
    assert [dataset.customer_ids[c] for c in two.target.customer] == ["ann"]
    assert two.counts.tolist() == [1, 2, 2, 1]
    assert View.of(dataset, 0).target.customer.size == 0


def test_decayed_counts_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    ann = view.decayed(0.5).toarray()[0]
    assert np.allclose(ann, [0.25 + 0.5 + 1, 0, 1, 0.25, 0])
    assert view.popularity.tolist() == [6, 1, 3, 4, 3]
    assert view.today.tolist() == (np.array([5, 4, 6, 3]) - 1 + int(view.history.day.min())).tolist()


def test_web_events_after_the_target_are_not_in_a_view() -> None:
    lines = two_tastes(customers=10)
    last = lines.filter(pl.col("sold_at") == pl.col("sold_at").max().over("customer_id"))
    later = views_of_last_products(last).with_columns(occurred_at=pl.col("occurred_at") + timedelta(hours=2))
    events = pl.concat([views_of_last_products(lines), later])
    dataset = Dataset.from_frames(lines, events)
    assert len(dataset.web) == len(events)
    assert len(View.of(dataset, 1).web) == len(events) - len(later)


def test_web_events_alone_and_nothing_at_all() -> None:
    events = views_of_last_products(two_tastes(customers=4)).with_columns(customer_id=pl.lit(None, pl.String))
    dataset = Dataset.from_frames(events=events)
    assert (len(dataset.carded), len(dataset.customer_ids), len(dataset.web)) == (0, 0, len(events))
    assert Dataset.from_frames().rows == 0


def test_unsold_products_are_kept_only_while_fresh() -> None:
    products = pl.DataFrame(
        {"product_id": ["bread", "old", "fresh", "future"], "name": ["Bread", "Old", "Fresh", "Future"],
         "released_on": [None, "2020-01-01", "2026-03-01", "2026-04-01"]}
    )  # fmt: skip
    dataset = Dataset.from_frames(table_lines(), products=products)
    assert set(dataset.product_ids) == {*PRODUCTS, "fresh"}
