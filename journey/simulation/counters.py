"""Contacts with the call centre, mobile orders to collect, and what lies on the shelves at the end."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.occasions import APP, Occasions
from journey.simulation.people import People
from journey.simulation.products import Leaves, Products
from journey.simulation.stores import Stores

CONTACT_RATE = 0.0025  # a day and member
_TOPICS = ("product", "order", "delivery", "points", "coupon", "app_login", "complaint", "store_hours")
_TOPIC_SHARE = (0.24, 0.17, 0.16, 0.14, 0.09, 0.10, 0.06, 0.04)
_CONTACT_SECONDS = {"call": 310.0, "chat": 420.0, "mail": 0.0}


def contacts_table(people: People, days: Days, rng: np.random.Generator) -> pl.DataFrame:
    """The ``contacts`` table: calls, chats and mails; a tenth without a known customer."""
    n = int(rng.poisson(CONTACT_RATE * people.members * days.n))
    second = np.sort(rng.integers(0, days.n, n) * DAY_SECONDS + rng.integers(9 * 3600, 20 * 3600, n))
    who = rng.integers(0, people.members, n)
    known = (rng.random(n) < 0.9) & (people.joined[who] * DAY_SECONDS < second)
    channel = rng.choice(["call", "chat", "mail"], n, p=[0.55, 0.27, 0.18])
    mean = np.array([_CONTACT_SECONDS[c] for c in channel])
    spent = np.where(mean > 0, rng.lognormal(np.log(np.maximum(mean, 1)) - 0.3, 0.8, n), 0).astype(np.int64)
    solved = rng.random(n) < 1 / (1 + np.exp(-(1.6 + 0.5 * people.experience[who, 4])))
    return pl.DataFrame(
        {
            "contact_id": [f"N{i + 1:07d}" for i in range(n)],
            "customer_id": pl.Series(people.ids).gather(who),
            "channel": channel,
            "started_at": second,
            "seconds": spent,
            "topic": rng.choice(_TOPICS, n, p=_TOPIC_SHARE),
            "resolved": solved,
        }
    ).with_columns(
        customer_id=pl.when(pl.Series(known)).then("customer_id"),
        seconds=pl.when(pl.col("channel") != "mail").then("seconds"),
    )


def orders_table(
    occasions: Occasions, people: People, stores: Stores, days: Days, rng: np.random.Generator
) -> pl.DataFrame:
    """The ``orders`` table: collected, cancelled, and a few still to be collected after the window's end."""
    end = days.n * DAY_SECONDS
    collected = np.flatnonzero((occasions.channel == APP) & (occasions.paid < end))
    ordered = occasions.second[collected] - rng.integers(3600, 22 * 3600, len(collected))
    rows = [
        (
            occasions.person[collected],
            occasions.store[collected],
            ordered,
            occasions.paid[collected],
            np.full(len(collected), "collected"),
        )
    ]
    lost = rng.choice(collected, round(0.05 * len(collected)), replace=False) if len(collected) else collected
    at = np.maximum(occasions.second[lost] - rng.integers(2, 15, len(lost)) * DAY_SECONDS, 0)
    rows.append(
        (
            occasions.person[lost],
            occasions.store[lost],
            at,
            at + rng.integers(4, 30, len(lost)) * 3600,
            np.full(len(lost), "cancelled"),
        )
    )
    app = np.flatnonzero(people.has_app[: people.members] & ~people.one_time[: people.members])
    waiting = rng.choice(app, min(len(app), max(3, len(collected) // days.n)), replace=False)
    at = end - rng.integers(600, 9 * 3600, len(waiting))
    status = rng.choice(["placed", "ready"], len(waiting))
    rows.append((waiting, people.home[waiting], at, end + rng.integers(10 * 3600, 20 * 3600, len(waiting)), status))
    person, store, ordered, pickup, status = (np.concatenate(c) for c in zip(*rows, strict=True))
    order = np.argsort(ordered, kind="stable")
    quarter = pickup[order] // 900 * 900
    return pl.DataFrame(
        {
            "order_id": [f"M{i + 1:07d}" for i in range(len(order))],
            "customer_id": pl.Series(people.ids).gather(person[order]),
            "store_id": pl.Series(stores.ids).gather(store[order]),
            "ordered_at": ordered[order],
            "pickup_at": quarter,
            "status": status[order],
        }
    )


def stock_table(
    products: Products, leaves: Leaves, stores: Stores, days: Days, rng: np.random.Generator
) -> pl.DataFrame:
    """The ``stock`` table at the end of the window: what each store carries; about one in twenty-five is out."""
    store, product = np.nonzero(products.carried & (products.discontinued >= days.n) & (products.released < days.n))
    weight = products.popularity / products.popularity.mean()
    mean = 3 + 14 * np.sqrt(weight[product]) * np.where(store == stores.n, 6.0, 1.0)
    quantity = rng.negative_binomial(3, 3 / (3 + mean))
    quantity = np.where(rng.random(len(store)) < 0.03, 0, quantity)
    return pl.DataFrame(
        {
            "store_id": pl.Series(stores.ids).gather(store),
            "product_id": pl.Series(products.ids).gather(product),
            "quantity": quantity,
            "as_of": np.full(len(store), days.n * DAY_SECONDS - 3600),
        }
    )
