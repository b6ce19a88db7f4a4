"""Coupons and focus merchandise: who is granted what, on which channel, and what a campaign counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.laws import Laws
from journey.simulation.people import People
from journey.simulation.products import I, Leaves, Products
from journey.simulation.stores import Stores

CHANNELS = ("app", "web", "mail", "store", "receipt")
VALID_DAYS = 30
CAMPAIGN_DAYS = 35
NEW_CAMPAIGN = 10  # days before the window's end at which one begins where no other goes on well beyond it


@dataclass(frozen=True)
class Offers:
    """Coupons 0 … c-1, their grants, and focus campaigns."""

    coupons: pl.DataFrame  # as in the extract
    leaf: I  # (c,) leaf of a category coupon, or -1
    product: I  # (c,) product of a product coupon, or -1
    value: I  # (c,) yen, or per cent
    percent: np.ndarray[tuple[int], np.dtype[np.bool_]]
    begins: I  # (c,) day
    channels: list[str]
    grant_coupon: I
    grant_person: I
    grant_second: I
    grant_channel: I
    grant_product: I  # the product it brings to mind
    targets: pl.DataFrame
    focus: list[tuple[int, int, I]]  # first day, last day, products

    def granted_on(self, day: int) -> tuple[I, I]:
        """(person, product brought to mind) of the grants of a day."""
        a, b = np.searchsorted(self.grant_second, [day * DAY_SECONDS, (day + 1) * DAY_SECONDS])
        return self.grant_person[a:b], self.grant_product[a:b]

    def focus_on(self, day: int) -> I:
        """Products of the campaigns that run on a day."""
        running = [p for first, last, p in self.focus if first <= day <= last]
        return np.concatenate(running) if running else np.zeros(0, dtype=np.int64)


def make_offers(
    days: Days, people: People, products: Products, leaves: Leaves, stores: Stores, laws: Laws, rng: np.random.Generator
) -> Offers:
    """A handful of coupons a month and a focus campaign every six weeks; one goes on when the window ends."""
    months = range(0, days.n, 30)
    rows = [(begin, i) for begin in months for i in range(laws.coupons_a_month)]
    c = len(rows)
    sellable = (products.released < 0) & (products.discontinued == 10_000) & products.carried.all(axis=0)
    leaf, product = np.full(c, -1, dtype=np.int64), np.full(c, -1, dtype=np.int64)
    percent = np.array([i % 2 == 0 for _, i in rows])
    plain = np.array([k for k, a in enumerate(leaves.need) if a == "any"])
    wide = (leaves.use / leaves.cycle)[plain] ** 0.5
    weight = products.popularity * sellable * products.offered
    for row, (_, i) in enumerate(rows):
        if i % 4 < 3:
            leaf[row] = rng.choice(plain, p=wide / wide.sum())
        else:
            product[row] = rng.choice(len(products.ids), p=weight / weight.sum())
    value = np.where(percent, rng.choice([5, 10, 15, 20], c), rng.choice([30, 50, 100], c))
    begins = np.array([b for b, _ in rows])
    kinds = ["store|ec|app", "store|app", "store|ec|app", "ec|app"]
    channels = [kinds[i % 4] for _, i in rows]
    what = [leaves.name[a] if a >= 0 else products.names[b] for a, b in zip(leaf, product, strict=True)]
    coupons = pl.DataFrame(
        {
            "coupon_id": [f"CP{i + 1:04d}" for i in range(c)],
            "name": [
                f"{w} {v}%引きクーポン" if pc else f"{w} {v}円引きクーポン"
                for w, v, pc in zip(what, value, percent, strict=True)
            ],
            "kind": ["percent" if x else "amount" for x in percent],
            "value": value,
            "valid_from": [days.date_of(b).isoformat() for b in begins],
            "valid_until": [days.date_of(b + VALID_DAYS).isoformat() for b in begins],
            "product_id": [products.ids[p] if p >= 0 else None for p in product],
            "category": [leaves.category[k] if k >= 0 else None for k in leaf],
            "channels": channels,
        }
    )
    grants = []
    reach = np.flatnonzero(people.contact & (np.arange(people.n) < people.members) & ~people.one_time)
    for row in range(c):
        chosen = reach[rng.random(len(reach)) < laws.coupon_reach]
        span = max(1, min(20, days.n - begins[row]))
        at = (begins[row] + rng.integers(0, span, len(chosen))) * DAY_SECONDS + rng.integers(
            8 * 3600, 21 * 3600, len(chosen)
        )
        late = people.joined[chosen] * DAY_SECONDS > at
        chosen, at = chosen[~late], at[~late]
        mind = np.full(len(chosen), product[row])
        if leaf[row] >= 0:
            mind = rng.integers(products.start[leaf[row]], products.stop[leaf[row]], len(chosen))
        grants.append(
            np.stack([np.full(len(chosen), row), chosen, at, rng.integers(0, len(CHANNELS), len(chosen)), mind])
        )
    all_grants = np.concatenate(grants, axis=1)
    all_grants = all_grants[:, np.argsort(all_grants[2], kind="stable")]
    focus, targets = _campaigns(days, products, leaves, stores, rng)
    return Offers(
        coupons=coupons, leaf=leaf, product=product, value=value, percent=percent, begins=begins, channels=channels,
        grant_coupon=all_grants[0], grant_person=all_grants[1], grant_second=all_grants[2],
        grant_channel=all_grants[3], grant_product=all_grants[4], targets=targets, focus=focus,
    )  # fmt: skip


def _campaigns(
    days: Days, products: Products, leaves: Leaves, stores: Stores, rng: np.random.Generator
) -> tuple[list[tuple[int, int, I]], pl.DataFrame]:
    focus: list[tuple[int, int, I]] = []
    rows = []
    themes = [
        k
        for k, c in enumerate(leaves.category)
        if c.split(" > ")[0] in ("スキンケア", "サプリ・健康", "オーラルケア", "ヘアケア")
    ]
    order = rng.permutation(themes)
    begins = list(range(10, days.n - 20, 42))
    if not begins or begins[-1] + CAMPAIGN_DAYS < days.n + NEW_CAMPAIGN:
        begins.append(max(0, days.n - NEW_CAMPAIGN))
    for number, first in enumerate(begins):
        last = first + CAMPAIGN_DAYS - 1
        leaf = int(order[number % len(order)])
        chosen = np.arange(products.start[leaf], products.stop[leaf])
        by_category = number % 2 == 0
        if not by_category:
            chosen = chosen[:1]
        focus.append((first, last, chosen))
        rows.append(
            {
                "campaign_id": f"F{number + 1:03d}",
                "name": f"{leaves.name[leaf]} はじめてキャンペーン",
                "starts_on": days.date_of(first).isoformat(),
                "ends_on": days.date_of(last).isoformat(),
                "product_id": None if by_category else products.ids[chosen[0]],
                "category": leaves.category[leaf] if by_category else None,
                "stores": "|".join(stores.ids[: stores.n]),
            }
        )
    schema = dict.fromkeys(
        ("campaign_id", "name", "starts_on", "ends_on", "product_id", "category", "stores"), pl.String
    )
    return focus, pl.DataFrame(rows, schema=schema)
