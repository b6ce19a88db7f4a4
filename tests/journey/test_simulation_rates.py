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


def lived(
    days: Days, leaves: Leaves, products: Products, people: People, pantry: Pantry
) -> tuple[F, list[tuple[F, F]]]:
    """(people, products) shares of visits, counted over years that all are like the window's last day; and now and then
    the chances told of the next visit, with what was in its basket, a row per person who came.
    """
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
    goods = replace(
        products, released=np.where(today.active, -900, 9000), discontinued=np.full(len(today.active), 9000)
    )
    foretold: list[tuple[F, F]] = []
    told, following, coming = np.zeros((0, 0)), np.zeros_like(counts), np.zeros(people.n, dtype=np.bool_)
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
            first = np.zeros(len(person), dtype=np.bool_)
            first[np.unique(person, return_index=True)[1]] = True
            inside = (first & coming[person])[lines.visit]
            following[person[lines.visit[inside]], lines.product[inside]] = 1
            coming[person] = False
        looking = surfers[random.random(len(surfers)) < 1 / LAWS.web_gap_days]
        begun = clock(len(looking), day, random)
        browse(looking, begun, WEB, -1, day, on_web, pantry, people, products, Sessions(), LAWS, random)
        if day >= WARMING and day % 130 == 0:
            if len(told):
                foretold.append((told[~coming], following[~coming]))
            everybody, any_day = np.arange(people.n), np.random.default_rng(day)
            told = basket_rates(everybody, day, days, pantry, people, goods, still, LAWS, any_day)[1]
            following, coming = np.zeros_like(counts), np.ones(people.n, dtype=np.bool_)
    return counts / visits[:, None], foretold


def test_true_rates_are_the_long_run_frequencies_of_the_law_and_next_ones_come_true(
    chain: tuple[Days, Leaves, Products, People, Pantry],
) -> None:
    days, leaves, products, people, pantry = chain
    everybody = np.arange(people.n)
    random = np.random.default_rng(6)
    told = basket_rates(everybody, days.n - 1, days, pantry, people, products, leaves, LAWS, random)[0]
    seen, foretold = lived(days, leaves, products, people, pantry)
    assert abs(told.sum() / seen.sum() - 1) < 0.025
    # rare ones hang on what a person happened to buy on impulse and goes back to: years do not even that out
    for low, high, off in ((0.2, 1.0, 0.03), (0.1, 0.2, 0.03), (0.02, 0.1, 0.03), (0.005, 0.02, 0.05), (0, 0.005, 0.1)):
        part = (told >= low) & (told < high)
        assert part.sum() > 100
        assert abs(told[part].mean() / seen[part].mean() - 1) < off, (low, high)
    assert np.corrcoef(told.ravel(), seen.ravel())[0, 1] > 0.98
    stated, came = (np.concatenate(part).ravel() for part in zip(*foretold, strict=True))
    assert abs(stated.sum() / came.sum() - 1) < 0.02
    for low, high, off in ((0.4, 1.0, 0.06), (0.2, 0.4, 0.03), (0.1, 0.2, 0.03), (0.02, 0.1, 0.05), (0, 0.02, 0.06)):
        part = (stated >= low) & (stated < high)
        assert part.sum() > 1000
        assert abs(stated[part].mean() / came[part].mean() - 1) < off, (low, high)


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
    assert per["rows"].is_between(BEST, 2 * (BEST + BEST_NEW)).all()
    assert table["next"].is_between(0, 1).all()
