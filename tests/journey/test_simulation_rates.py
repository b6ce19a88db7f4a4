"""The truth of purchases: the rates written beside the extract are those at which the law itself fills baskets."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from journey.simulation import Laws, simulate
from journey.simulation.baskets import Pantry, fill, market, online
from journey.simulation.browsing import WEB, Sessions, browse, clock
from journey.simulation.days import Days, kind_factors, make_days
from journey.simulation.people import People, make_people
from journey.simulation.products import F, Leaves, Products, make_leaves, make_products
from journey.simulation.stores import make_stores
from journey.simulation.truth.rates import BEST, BEST_NEW, basket_rates

END = date(2026, 10, 1)
LAWS = Laws()
WARMING, LIVED = 700, 2600


@pytest.fixture(scope="module")
def chain() -> tuple[Days, Leaves, Products, People, Pantry]:
    days = make_days(END, 60, LAWS)
    stores = make_stores(2, np.random.default_rng(1))
    leaves = make_leaves(days)
    products = make_products(400, leaves, days, 2, LAWS, np.random.default_rng(2))
    people = make_people(60, days, stores, LAWS, np.random.default_rng(3))
    people.rate = np.clip(people.rate, 1 / 12, None)  # enough visits to count within a few years
    return days, leaves, products, people, Pantry(people, products, leaves, LAWS, np.random.default_rng(4))


def lived(days: Days, leaves: Leaves, products: Products, people: People, pantry: Pantry) -> F:
    """(people, products) shares of visits, counted over years that all are like the window's last day."""
    random = np.random.default_rng(5)
    last = days.n - 1
    today = market(products, leaves, last, np.zeros(len(products.ids), dtype=np.bool_), LAWS)
    on_web = online(today, products)
    still = replace(leaves, demand=np.tile(leaves.demand[:, [last]], (1, WARMING + LIVED)))
    pace = people.rate * (days.factor * kind_factors(LAWS)[days.kind]).mean()
    surfers = np.flatnonzero(people.has_web | people.has_app)
    surfers = surfers[surfers < people.members]
    counts, visits = np.zeros((people.n, len(products.ids))), np.zeros(people.n)
    people.joined[:] = -1  # nobody's first visit
    for day in range(WARMING + LIVED):
        person = np.repeat(np.arange(people.n), random.poisson(pace))
        away = np.where(random.random(len(person)) < 0.12, people.second[person], people.home[person])
        ec = people.has_ec[person] & ~people.one_time[person] & (random.random(len(person)) < LAWS.ec_order_share)
        store = np.where(ec, 2, away)
        lines = fill(pantry, person, store, day, today, products, still, people, LAWS, random)
        pantry.remember(person[lines.visit], lines.product)
        if day >= WARMING:
            visits += np.bincount(person, minlength=people.n)
            np.add.at(counts, (person[lines.visit], lines.product), 1)
        looking = surfers[random.random(len(surfers)) < 1 / LAWS.web_gap_days]
        begun = clock(len(looking), day, random)
        browse(looking, begun, WEB, -1, day, on_web, pantry, people, products, Sessions(), LAWS, random)
    return counts / visits[:, None]


def test_true_rates_are_the_long_run_frequencies_of_the_law(
    chain: tuple[Days, Leaves, Products, People, Pantry],
) -> None:
    days, leaves, products, people, pantry = chain
    everybody = np.arange(people.n)
    told = basket_rates(everybody, days.n - 1, days, pantry, people, products, leaves, LAWS, np.random.default_rng(6))
    seen = lived(days, leaves, products, people, pantry)
    assert abs(told.sum() / seen.sum() - 1) < 0.025
    # rare ones hang on what a person happened to buy on impulse and goes back to: years do not even that out
    for low, high, off in ((0.2, 1.0, 0.03), (0.1, 0.2, 0.03), (0.02, 0.1, 0.03), (0.005, 0.02, 0.05), (0, 0.005, 0.1)):
        part = (told >= low) & (told < high)
        assert part.sum() > 100
        assert abs(told[part].mean() / seen[part].mean() - 1) < off, (low, high)
    assert np.corrcoef(told.ravel(), seen.ravel())[0, 1] > 0.98


def test_the_file_holds_the_best_and_the_best_new_of_each_customer(tmp_path: Path) -> None:
    simulate(tmp_path, stores=1, customers=60, products=300, days=40, seed=3, end=END)
    table = pl.read_csv(tmp_path / "truth" / "true_rates.csv")
    assert table["rate"].is_between(0, 1).all()
    per = table.group_by("customer_id").agg(
        pl.len().alias("rows"), (~pl.col("bought")).sum().alias("new"), falling=pl.col("rate").diff().max() <= 0
    )
    assert per.height == 60
    assert per["falling"].all()
    assert per["new"].min() >= BEST_NEW
    assert per["rows"].is_between(BEST, BEST + BEST_NEW).all()
