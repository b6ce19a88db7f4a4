"""The contract every candidate model keeps, and answers worked out by hand for the simple ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recommender.candidates.base import CandidateModel, strongest
from recommender.candidates.content import Content, product_likeness
from recommender.candidates.factors import Als, Hybrid
from recommender.candidates.items import BasketCosine, Bm25, Cosine, RandomWalk
from recommender.candidates.linear import Ease, NextBasket
from recommender.candidates.neighbours import CustomerNeighbours, TasteNeighbours
from recommender.candidates.pool import CandidatePool
from recommender.candidates.popular import Popular, SalesCalendar, StorePopular, Trending
from recommender.candidates.repeat import PersonalFrequency
from recommender.candidates.states import StateNeighbours, past_states
from recommender.candidates.web import WebInterest
from recommender.dataset import Dataset
from recommender.views import View
from tests.recommender.purchases import PRODUCTS, product_master, table_lines, two_tastes, views_of_last_products

Make = Callable[[], CandidateModel]

PERSONAL: dict[str, Make] = {
    "neighbours": lambda: CustomerNeighbours(neighbours=20),
    "taste": lambda: TasteNeighbours(neighbours=20),
    "states": lambda: StateNeighbours(size=30),
    "states/last": lambda: StateNeighbours(0.0, 30),
    "cosine": Cosine,
    "bm25": Bm25,
    "baskets": BasketCosine,
    "walk": RandomWalk,
    "ease": lambda: Ease(ridge=10.0),
    "next_basket": lambda: NextBasket(ridge=10.0),
    "als": lambda: Als(factors=8),
    "hybrid": lambda: Hybrid(components=8, epochs=30),
    "content": Content,
    "web": WebInterest,
}
EVERY: dict[str, Make] = {
    **PERSONAL, "repeat": PersonalFrequency, "popular": Popular, "trend": Trending, "store": StorePopular,
    "tifuknn": lambda: CustomerNeighbours(neighbours=20, alpha=0.3),
}  # fmt: skip


def dataset_of(last: int | None = None) -> Dataset:
    lines = two_tastes(last=last)
    newcomer = views_of_last_products(lines.head(5)).with_columns(customer_id=None)
    assert len(newcomer)
    return Dataset.from_frames(lines, views_of_last_products(two_tastes()), product_master(), product_master().select(
        customer_id="product_id"))  # fmt: skip


@pytest.fixture(scope="module")
def view() -> View:
    return View.of(dataset_of(), 1)


@pytest.mark.parametrize("name", EVERY)
class TestContract:
    def test_scores_are_finite_float32_and_not_negative(self, name: str, view: View) -> None:
        customers = np.array([0, 5, 7, view.customers - 1], np.int32)
        scores = EVERY[name]().fit(view).score(customers)
        assert scores.shape == (4, view.products)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()
        assert scores.any(), "somebody must be scored"

    def test_a_customer_is_scored_the_same_alone_and_in_company(self, name: str, view: View) -> None:
        model = EVERY[name]().fit(view)
        together = model.score(np.arange(10, dtype=np.int32))
        alone = model.score(np.array([4], np.int32))
        assert np.allclose(together[4], alone[0], atol=1e-6)

    def test_nobody_gives_no_rows(self, name: str, view: View) -> None:
        assert EVERY[name]().fit(view).score(np.zeros(0, np.int32)).shape == (0, view.products)

    def test_the_target_does_not_reach_the_model(self, name: str, view: View) -> None:
        other = View.of(dataset_of(last=3), 1)
        assert not np.array_equal(other.target.product, view.target.product), "the targets must differ"
        customers = np.arange(8, dtype=np.int32)
        ours, theirs = EVERY[name]().fit(view).score(customers), EVERY[name]().fit(other).score(customers)
        assert np.allclose(ours, theirs, atol=1e-6)

    def test_a_record_without_purchases_is_no_error(self, name: str) -> None:
        empty = View.of(Dataset.from_frames(products=product_master(4), customers=product_master(3).select(
            customer_id="product_id"), events=views_of_last_products(two_tastes(customers=1))), 0)  # fmt: skip
        if empty.products and name in ("web", "popular"):
            scores = EVERY[name]().fit(empty).score(np.zeros(1, np.int32))
            assert scores.shape == (1, empty.products)


@pytest.mark.parametrize("name", PERSONAL)
def test_new_products_are_of_the_customers_own_taste(name: str, view: View) -> None:
    scores = PERSONAL[name]().fit(view).score(np.arange(40, dtype=np.int32))
    own = view.owned[np.arange(40)].toarray() > 0
    right = np.arange(view.products)[None, :] % 2 == np.arange(40)[:, None] % 2
    scores[own] = 0
    best = scores.argmax(axis=1)
    asked = scores.max(axis=1) > 0
    assert asked.mean() > 0.5
    assert right[np.arange(40), best][asked].mean() > 0.9


def test_personal_frequency_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    ann, dan = PersonalFrequency(decay=0.5).fit(view).score(np.array([0, 3], np.int32))
    assert np.allclose(ann, np.array([1.75, 0, 1, 0.25, 0]) / 3)
    assert np.allclose(dan, [0, 0, 0, 0, 1])


def test_popularity_and_recent_weeks_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    assert np.allclose(Popular().fit(view).score(np.array([0], np.int32))[0], np.array([6, 1, 3, 4, 3]) / 6)
    # two days up to and including ann's last one, the 5th: bob's milk and jam of the 4th, her bread and jam, r2
    window = SalesCalendar(view).window(view.today[:1], 2)[0]
    assert dict(zip(PRODUCTS, window.tolist(), strict=True)) == {"bread": 2, "cake": 0, "jam": 2, "milk": 2, "tea": 0}


def test_cosine_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    similar = Cosine().fit(view).similar.toarray()
    # bread: ann, bob, cyd; milk: ann, bob; tea: cyd, dan
    assert np.isclose(similar[0, 3], 2 / np.sqrt(3 * 2))
    assert np.isclose(similar[0, 4], 1 / np.sqrt(3 * 2))
    assert similar[3, 4] == 0
    assert np.diag(similar).tolist() == [0] * 5


def test_baskets_without_a_card_speak_too() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    similar = BasketCosine().fit(view).similar.toarray()
    assert similar[PRODUCTS.index("tea"), PRODUCTS.index("cake")] > 0, "only the receipt r1 had both"


def test_past_states_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    states, followed = past_states(view, 0.5, 100, 0)
    names = [view.dataset.customer_ids[view.history.customer[basket]] for basket in followed]
    assert names == ["ann", "ann", "bob", "cyd"]
    assert states.toarray().tolist() == [
        [1, 0, 0, 1, 0],
        [1.5, 0, 0, 0.5, 0],
        [1, 0, 0, 1, 0],
        [0, 0, 1, 0, 1],
    ]


def test_tifuknn_by_hand() -> None:
    view = View.of(Dataset.from_frames(table_lines()), 0)
    model = CustomerNeighbours(decay=0.5, neighbours=1, alpha=0.3).fit(view)
    # dan's vector is (0 0 0 0 1); cyd's (.5 0 .25 0 .25) lies nearer than ann's or bob's
    assert np.allclose(model.score(np.array([3], np.int32))[0], [0.35, 0, 0.175, 0, 0.3 + 0.175])


def test_likeness_joins_names_that_share_letters() -> None:
    similar = product_likeness(dataset_of().products, 5).toarray()
    assert similar[0, 4] > 0
    assert similar.diagonal().sum() == 0


def test_the_strongest_entries_of_a_row_come_first() -> None:
    from scipy import sparse

    matrix = sparse.csr_array(np.array([[1.0, 5, 3, 0], [0, 0, 0, 0], [0, 2, 0, 7]], np.float32))
    best = strongest(matrix, 2)
    assert best.indices.tolist() == [1, 2, 3, 1]
    assert best.data.tolist() == [5, 3, 7, 2]


def test_the_pool_holds_what_is_owned_and_the_best_new_of_each_model(view: View) -> None:
    models = [PersonalFrequency().fit(view), Cosine().fit(view)]
    candidates = CandidatePool(models, view, new_per_model=3, most_owned=300, seed=0).propose(
        np.arange(6, dtype=np.int32)
    )
    owned = view.owned[np.arange(6)].toarray() > 0
    assert candidates.owned.sum() == owned.sum()
    fresh = np.bincount(candidates.row[~candidates.owned], minlength=6)
    scores = models[1].score(np.arange(6, dtype=np.int32))
    known = ((scores > 0) & ~owned).sum(axis=1)
    assert fresh.tolist() == np.minimum(known, 3).tolist(), "repeat proposes nothing new, cosine three where it can"
    for row in range(6):
        mine = candidates.product[(candidates.row == row) & ~candidates.owned]
        rest = np.where(owned[row], 0, scores[row])
        assert set(rest[mine]) == set(np.sort(rest)[::-1][: len(mine)])


def test_what_is_owned_is_capped_at_what_weighs_most(view: View) -> None:
    pool = CandidatePool([Cosine().fit(view)], view, new_per_model=1, most_owned=2, seed=0)
    candidates = pool.propose(np.arange(6, dtype=np.int32))
    assert np.bincount(candidates.row[candidates.owned], minlength=6).tolist() == [2] * 6
