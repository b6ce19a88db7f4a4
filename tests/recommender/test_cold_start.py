"""Cold start: lists for newcomers and for products nobody has bought, and the figures that judge them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from recommender.batch import cold_shares
from recommender.cold_start import cold_start_report, known_before_day
from recommender.dataset import Dataset
from recommender.new_products import suitability
from recommender.newcomers import Newcomers, first_shares, with_newcomers
from recommender.trained import RankedLists
from recommender.views import View

START = datetime(2026, 1, 5, 3, tzinfo=UTC)


def chain(customers: int = 1200, seed: int = 3) -> Dataset:
    """Newcomers join every day and first buy what draws them (men P00, women P01), then the usual P10..P19; some look
    at what they will buy first on the web. From day 54 on there are new sweets, bought by those with a sweet tooth.
    """
    random = np.random.default_rng(seed)
    lines, events = [], []
    for number in range(customers):
        joined = int(60 * number / customers)
        draw, sweet, looks = f"P0{number % 2}", number % 3 == 0, number // 2 % 2 == 0
        for visit, day in enumerate(range(joined, 60, 4)):
            first = draw if random.random() < 0.7 else "P02"
            bought = [first] if visit == 0 else [f"P1{random.integers(0, 10)}"]
            if visit == 0 and looks:
                bought.append(f"P3{random.integers(0, 10)}")
                events += [(number, bought[-1], day - 0.5)]
            bought.append("S0" if sweet else "T0")
            if visit and day >= 54:
                bought.append(f"{'S' if sweet else 'T'}{random.integers(1, 15):02}")
            lines += [(f"r{number}-{visit}", f"c{number:04}", day, product) for product in bought]
    names = {f"{group}{n:02}": f"{group} > new" for group in "ST" for n in range(1, 15)}
    names |= {"S0": "S > old", "T0": "T > old"}
    moment = pl.Datetime("us", "UTC")
    return Dataset.from_frames(
        pl.DataFrame(
            [(r, "s1", START + timedelta(days=d), c, p, 1.0) for r, c, d, p in lines],
            schema={"receipt_id": pl.String, "store_id": pl.String, "sold_at": moment, "customer_id": pl.String,
                    "product_id": pl.String, "quantity": pl.Float64}, orient="row",
        ),
        pl.DataFrame(
            [(START + timedelta(days=d), f"v{c}", f"c{c:04}", "view", p) for c, p, d in events],
            schema={"occurred_at": moment, "visitor_id": pl.String, "customer_id": pl.String, "kind": pl.String,
                    "product_id": pl.String}, orient="row",
        ),
        products=pl.DataFrame({"product_id": list(names), "category": list(names.values())}),
        customers=pl.DataFrame(
            {"customer_id": [f"c{n:04}" for n in range(customers)] + ["z-man", "z-nobody", "z-woman"],
             "gender": ["male" if n % 2 == 0 else "female" for n in range(customers)] + ["male", None, "female"]},
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return chain()


def test_every_case_is_foretold_better_than_by_popularity(dataset: Dataset) -> None:
    cases = {entry["case"]: entry for entry in cold_start_report(dataset)}
    assert set(cases) == {"nothing", "demographics", "web", "new_products"}
    for case, entry in cases.items():
        assert entry["lead_low"] > 0, case
        assert entry["low"] <= entry["value"] <= entry["high"]
    assert cases["web"]["value"] > cases["nothing"]["value"]
    assert cold_start_report(dataset) == list(cases.values())


def test_nothing_of_the_later_part_is_known(dataset: Dataset) -> None:
    past = known_before_day(dataset, int(np.quantile(dataset.carded.day, 0.5)))
    assert past.carded.day.max() < np.quantile(dataset.carded.day, 0.5)
    assert past.web.time.max() < (int(past.carded.day.max()) + 1) * 86_400_000_000
    assert past.product_ids == dataset.product_ids


def test_newcomers_are_told_by_what_newcomers_buy_and_by_who_they_are(dataset: Dataset) -> None:
    view = View.of(dataset, 0)
    shares = cold_shares(view)[0]
    newcomers = Newcomers.fit(view, shares)
    number = {product: i for i, product in enumerate(dataset.product_ids)}
    assert newcomers.shares[number["P00"]] > 3 * shares[number["P00"]]
    man, nobody, woman = (dataset.customer_ids.index(name) for name in ("z-man", "z-nobody", "z-woman"))
    scores = newcomers.scores(np.array([man, nobody, woman], np.int32))
    assert scores[0, number["P00"]] > scores[1, number["P00"]] > scores[2, number["P00"]]
    lists = with_newcomers(RankedLists.empty(view.customers), view, newcomers, seed=1)
    sizes = np.diff(lists.indptr)
    assert sizes[man] == sizes[woman] > 0
    assert sizes[nobody] == 0
    top = {name: lists.product[lists.row(row)][:3].tolist() for name, row in (("man", man), ("woman", woman))}
    assert number["P00"] in top["man"]
    assert number["P01"] in top["woman"]
    assert lists.is_new.all()


def test_a_short_record_keeps_to_what_the_chain_sells(dataset: Dataset) -> None:
    few = known_before_day(dataset, int(dataset.carded.day.min()) + 2)
    chain_share = np.full(len(dataset.product_ids), 0.1, np.float32)
    assert first_shares(few.carded, chain_share) is chain_share
    assert cold_start_report(few) == []


def test_a_new_product_suits_who_buys_of_its_kind() -> None:
    products = pl.DataFrame({"name": ["green tea", "black tea", "soap", "iced tea", "hand soap"],
                             "category": ["drink > tea", "drink > tea", "home > soap", "drink > tea", "home > soap"],
                             "brand": ["A", "B", "A", "A", "C"]})  # fmt: skip
    owned = sparse.csr_array(np.array([[3, 1, 0, 0, 0], [0, 0, 5, 0, 0], [0, 0, 0, 0, 0]], np.float32))
    scores = suitability(owned, products, np.array([3, 4]))
    assert scores[0, 0] > scores[0, 1]
    assert scores[1, 1] > scores[1, 0]
    named = pl.DataFrame({"name": products["name"], "category": [None] * 5, "brand": [None] * 5},
                         schema_overrides={"category": pl.String, "brand": pl.String})  # fmt: skip
    by_name = suitability(owned, named, np.array([3, 4]))
    assert by_name[0, 0] > by_name[0, 1]
    assert by_name[1, 1] > by_name[1, 0]
