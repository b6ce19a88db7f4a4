from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from recommender.batch import ranked_ahead
from recommender.candidates.pool import Candidates
from recommender.candidates.roster import Roster
from recommender.dataset import Dataset
from recommender.examples import panel_of
from recommender.features.customers import CustomerFacts
from recommender.features.hazard import trials
from recommender.features.looks import Looks
from recommender.features.pairs import PairHistory
from recommender.features.scores import ranks
from recommender.learning import fit
from recommender.pace import Pace
from recommender.views import View
from tests.recommender.purchases import PRODUCTS, product_master, table_lines, two_tastes, views_of_last_products


def candidates(customers: list[int], products: list[int], per_customer: int) -> Candidates:
    rows = np.repeat(np.arange(len(customers)), per_customer).astype(np.int32)
    return Candidates(
        customers=np.array(customers, np.int32),
        indptr=np.arange(len(customers) + 1) * per_customer,
        row=rows,
        customer=np.array(customers, np.int32)[rows],
        product=np.array(products, np.int32),
        owned=np.zeros(len(rows), np.bool_),
        scores=np.zeros((0, len(rows)), np.float32),
        best=np.zeros((0, len(customers)), np.float32),
    )


@pytest.fixture(scope="module")
def table() -> View:
    return View.of(Dataset.from_frames(table_lines()), 0)


def test_a_pairs_history_by_hand(table: View) -> None:
    bread, milk, jam, tea = (PRODUCTS.index(name) for name in ("bread", "milk", "jam", "tea"))
    found = PairHistory().fit(table).columns(candidates([0], [bread, milk, jam, tea], 4))
    assert found["pair_count"][:3].tolist() == [3, 1, 1]
    assert np.isnan(found["pair_count"][3]), "ann only brought tea back"
    assert found["pair_last_age"][:3].tolist() == [0, 2, 0]
    assert found["pair_gap"][0] == 1
    assert np.isnan(found["pair_gap"][1])
    assert found["pair_since_last_days"][:3].tolist() == [0, 4, 0]
    assert found["pair_gap_days"][0] == 2
    assert found["pair_share"][:2].tolist() == pytest.approx([1, 1 / 3])


def test_trials_by_hand(table: View) -> None:
    pairs = table.pairs
    product, nth, length, bought = trials(pairs, table.products)
    ann_bread = slice(0, 3)
    assert product[ann_bread].tolist() == [0, 0, 0]
    assert nth[ann_bread].tolist() == [1, 2, 3]
    assert length[ann_bread].tolist() == [1, 1, 0], "bought in each next basket, then the record ends"
    assert bought[ann_bread].tolist() == [True, True, False]
    ann_milk = int(np.searchsorted(pairs.key, PRODUCTS.index("milk")))
    at = pairs.indptr[ann_milk]
    assert (length[at], bought[at]) == (2, False), "two baskets without milk followed"


def test_customer_facts_by_hand(table: View) -> None:
    found = CustomerFacts().fit(table).columns(candidates([0, 3], [0, 0], 1))
    assert found["customer_baskets"].tolist() == [3, 1]
    assert found["customer_products"].tolist() == [3, 1]
    assert found["customer_basket_size"][0] == pytest.approx(5 / 3)
    assert found["customer_repeat_share"].tolist() == pytest.approx([1 - 3 / 5, 0])
    assert found["customer_gap_days"][0] == 2
    assert found["customer_new_in_last"][0] == pytest.approx(0.5), "jam was new, bread was not"


def test_looks_by_hand() -> None:
    """Ann looked at jam before and after her basket of the 3rd, at tea before; asked about at the cut-off, the 20th."""
    looks = [
        ("ann", "jam", "view", 2),
        ("ann", "jam", "cart", 4),
        ("ann", "tea", "view", 1),
        ("bob", "jam", "view", 12),
    ]
    events = pl.DataFrame(
        {
            "occurred_at": [datetime(2026, 3, day, 3, 30, tzinfo=UTC) for *_, day in looks],
            "customer_id": [who for who, *_ in looks],
            "visitor_id": [who for who, *_ in looks],
            "session_id": [str(number) for number in range(len(looks))],
            "kind": [kind for _, _, kind, _ in looks],
            "product_id": [product for _, product, *_ in looks],
        },
        schema_overrides={"occurred_at": pl.Datetime("us", "UTC")},
    )
    until = datetime(2026, 3, 20, 3, 30, tzinfo=UTC)
    jam, tea, milk = (PRODUCTS.index(name) for name in ("jam", "tea", "milk"))
    dataset = Dataset.from_frames(table_lines(), events, as_of=until)
    ann, bob = (dataset.customer_ids.index(name) for name in ("ann", "bob"))
    asked = candidates([ann, bob], [jam, tea, milk] * 2, 3)
    found = Looks(dataset).fit(View.of(dataset, 0)).columns(asked)
    nan = np.nan
    np.testing.assert_allclose(found["look_days"], [16, 19, nan, 8, nan, nan])
    np.testing.assert_allclose(found["look_weight"], [4, 1, nan, 1, nan, nan])
    np.testing.assert_allclose(found["look_recent"], [0, 0, nan, 1, nan, nan])
    np.testing.assert_allclose(found["look_baskets_since"], [1, 2, nan, 0, nan, nan])
    np.testing.assert_allclose(found["look_any_days"], [16] * 3 + [8] * 3)
    earlier = Looks(dataset).fit(View.of(dataset, 1)).columns(asked)  # the moment is that of the basket of the 5th
    np.testing.assert_allclose(earlier["look_days"], [1 - 1 / 48, 4 - 1 / 48, nan, nan, nan, nan], rtol=1e-5)
    np.testing.assert_allclose(earlier["look_baskets_since"], [0, 1, nan, nan, nan, nan])


def test_an_old_look_is_not_taken_for_one_of_just_now() -> None:
    """Six in ten looks of the last three days are bought, looks of weeks ago are not: so say the chances."""
    random = np.random.default_rng(3)
    begin = datetime(2026, 1, 5, 3, tzinfo=UTC)
    last = begin + timedelta(days=180)
    lines: list[tuple[int, datetime, int]] = []
    looks: list[tuple[int, datetime, int]] = []
    for customer in range(300):
        for basket in range(6):
            at = begin + timedelta(days=30 * basket + customer % 5)
            lines.append((customer, at, 40 + customer % 8))
            fresh, stale = random.choice(40, 2, replace=False).tolist()
            looks.append((customer, at - timedelta(days=random.random() * 3), fresh))
            looks.append((customer, at - timedelta(days=20 + random.random() * 5), stale))
            if random.random() < 0.6:
                lines.append((customer, at, fresh))
        looks.append((customer, last - timedelta(days=2 if customer % 2 else 25), 39))
    dataset = Dataset.from_frames(
        pl.DataFrame(
            {
                "receipt_id": [f"{customer} {at}" for customer, at, _ in lines],
                "store_id": "s1",
                "sold_at": [at for _, at, _ in lines],
                "customer_id": [f"c{customer:03}" for customer, *_ in lines],
                "product_id": [f"P{product:02}" for *_, product in lines],
                "quantity": 1.0,
            }
        ),
        pl.DataFrame(
            {
                "occurred_at": [at for _, at, _ in looks],
                "customer_id": [f"c{customer:03}" for customer, *_ in looks],
                "visitor_id": [f"v{customer}" for customer, *_ in looks],
                "session_id": [f"{customer} {at}" for customer, at, _ in looks],
                "kind": "view",
                "product_id": [f"P{product:02}" for *_, product in looks],
            }
        ),
        as_of=last,
    )
    ahead = ranked_ahead(fit(dataset, 0, pace=Pace.of(0.1)))
    row = np.repeat(np.arange(len(ahead.indptr) - 1), np.diff(ahead.indptr))
    told = (ahead.product == dataset.product_ids.index("P39")) & ahead.is_new
    lately, long_ago = (float(ahead.probability[told & (row % 2 == rest)].mean()) for rest in (1, 0))
    assert lately > 0.3
    assert long_ago < lately / 2


def test_ranks_of_nothing_are_missing() -> None:
    given = candidates([0, 1], [0, 1, 2, 0, 1, 2], 3)
    found = ranks(np.array([0.2, 0, 0.5, 0, 0, 0.1], np.float32), given)
    assert found[[0, 2, 5]].tolist() == [2, 1, 1]
    assert np.isnan(found[[1, 3, 4]]).all(), "a rank of a zero would carry the product's number"


def panel_values(last: int | None, cut: int = 1) -> tuple[list[str], Any, Any, View]:
    events = views_of_last_products(two_tastes())
    dataset = Dataset.from_frames(two_tastes(last=last), events, product_master())
    view = View.of(dataset, cut)
    panel = panel_of(view, Roster(dataset), seed=0)
    ((given, names, matrix),) = panel.blocks(np.arange(40, dtype=np.int32), threads=1)
    return names, given, matrix, view


def test_what_is_bought_next_changes_no_candidate_and_no_feature() -> None:
    names, given, matrix, view = panel_values(last=None)
    _, other, changed, other_view = panel_values(last=11)
    assert not np.array_equal(view.target.product, other_view.target.product), "the targets must differ"
    assert np.array_equal(given.product, other.product)
    same = np.isclose(matrix, changed, rtol=1e-4, atol=1e-5, equal_nan=True).all(axis=0)
    assert [name for name, equal in zip(names, same, strict=True) if not equal] == []


def test_the_last_baskets_do_change_the_features_of_the_view_that_holds_them() -> None:
    """The test above would pass on features that never change; these do."""
    _, _, matrix, _ = panel_values(last=None, cut=0)
    _, _, changed, _ = panel_values(last=11, cut=0)
    assert matrix.shape != changed.shape or not np.allclose(matrix, changed, equal_nan=True)


def test_later_lines_and_events_change_nothing_before_the_cut_off() -> None:
    lines = two_tastes()
    as_of = lines["sold_at"].sort()[len(lines) // 2]
    import polars as pl

    later = lines.filter(pl.col("sold_at") >= as_of).with_columns(
        product_id=pl.lit("p99"), quantity=pl.lit(50.0), customer_id=pl.lit("c999")
    )
    mixed = pl.concat([lines.filter(pl.col("sold_at") < as_of), later])

    def values(frame: pl.DataFrame) -> tuple[list[str], Any, Any]:
        events = views_of_last_products(frame).with_columns(occurred_at=pl.col("occurred_at") + pl.duration(hours=1))
        dataset = Dataset.from_frames(frame, events, product_master(), as_of=as_of)
        panel = panel_of(View.of(dataset, 1), Roster(dataset), seed=0)
        ((given, _, matrix),) = panel.blocks(panel.view.eligible()[:30], threads=1)
        return dataset.product_ids, given.product, matrix

    ids, products, matrix = values(lines)
    other_ids, other_products, changed = values(mixed)
    assert ids == other_ids
    assert "p99" not in ids
    assert np.array_equal(products, other_products)
    assert np.allclose(matrix, changed, equal_nan=True)


def test_blocks_on_two_threads_are_those_of_one() -> None:
    dataset = Dataset.from_frames(two_tastes())
    panel = panel_of(View.of(dataset, 1), Roster(dataset), seed=0)
    customers = np.arange(40, dtype=np.int32)
    import recommender.features.matrix as module

    small, module.BLOCK_CELLS = module.BLOCK_CELLS, 16 * dataset.carded.product.max()
    try:
        one = [matrix for _, _, matrix in panel.blocks(customers, 1)]
        two = [matrix for _, _, matrix in panel.blocks(customers, 2)]
    finally:
        module.BLOCK_CELLS = small
    assert len(one) > 1
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))
