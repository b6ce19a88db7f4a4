"""What would change for customers if another version served: lists of both side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np
import polars as pl

from recommender.batch import rank
from recommender.columns import CUSTOMER, PRODUCT
from recommender.trained import TrainedModel

K = 10
SAMPLE = 10
MANY = 1000


@dataclass(frozen=True)
class Place:
    """One product of a list; `is_new` to the customer, `moved` says whether it enters or leaves with the candidate."""

    product_id: str
    probability: float
    is_new: bool
    moved: bool


@dataclass(frozen=True)
class Change:
    """One customer's list by the version that serves and by the candidate, and how many products stay."""

    customer_id: str
    current: list[Place]
    candidate: list[Place]
    stays: int


@dataclass(frozen=True)
class Turnover:
    """Over `customers` drawn at random: how many of K products stay on average, and the share of unchanged lists."""

    customers: int
    stays: float
    unchanged: float


def sample(
    candidate: TrainedModel, current: TrainedModel, *, present: Collection[str], many: int, salt: str
) -> list[str]:
    """Customers whom both versions know well enough for a list of their own, drawn by `salt`, always the same ones.

    `present` are those whose behaviour may be used today.
    """
    known = [_with_list(model) for model in (candidate, current)]
    shared = sorted((known[0] & known[1]).intersection(present))
    seed = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big")
    return Random(seed).sample(shared, min(many, len(shared)))


def changes(candidate: TrainedModel, current: TrainedModel, customers: list[str]) -> list[Change]:
    """The lists of these customers by both versions, those with most to change first."""
    lists = {"candidate": _places(candidate, customers), "current": _places(current, customers)}
    found = []
    for customer in customers:
        old, new = lists["current"].get(customer, []), lists["candidate"].get(customer, [])
        old_ids, new_ids = {p for p, _, _ in old}, {p for p, _, _ in new}
        found.append(
            Change(
                customer,
                [Place(p, chance, fresh, p not in new_ids) for p, chance, fresh in old],
                [Place(p, chance, fresh, p not in old_ids) for p, chance, fresh in new],
                len(old_ids & new_ids),
            )
        )
    return sorted(found, key=lambda change: (change.stays, change.customer_id))


def turnover(candidate: TrainedModel, current: TrainedModel, customers: list[str]) -> Turnover:
    """How much the lists of many customers change."""
    if not customers:
        return Turnover(0, 0.0, 0.0)
    lists = [rank(model, customers, "all", K).group_by(CUSTOMER).agg(pl.col(PRODUCT)) for model in (candidate, current)]
    both = lists[0].join(lists[1], on=CUSTOMER, suffix="_old")
    stays = both.select(pl.col(PRODUCT).list.set_intersection(f"{PRODUCT}_old").list.len()).to_series().to_numpy()
    sizes = both[PRODUCT].list.len().to_numpy()
    return Turnover(len(both), float(np.mean(stays)), float(np.mean(stays == sizes)))


def _with_list(model: TrainedModel) -> set[str]:
    sizes = np.diff(model.ahead.indptr)
    return {model.customer_ids[int(row)] for row in np.flatnonzero(sizes >= K)}


def _places(model: TrainedModel, customers: list[str]) -> Mapping[str, list[tuple[str, float, bool]]]:
    """Product, probability and newness by customer, in the order of the list."""
    owned = _owned(model, customers)
    found: dict[str, list[tuple[str, float, bool]]] = {}
    for row in rank(model, customers, "all", K).iter_rows(named=True):
        entry = (row[PRODUCT], float(row["probability"]), (row[CUSTOMER], row[PRODUCT]) not in owned)
        found.setdefault(row[CUSTOMER], []).append(entry)
    return found


def _owned(model: TrainedModel, customers: list[str]) -> set[tuple[str, str]]:
    place = {name: number for number, name in enumerate(model.customer_ids)}
    found = set()
    for customer in customers:
        entries = model.ahead.row(place[customer])
        mine = model.ahead.product[entries][~model.ahead.is_new[entries]]
        found |= {(customer, model.product_ids[int(product)]) for product in mine}
    return found
