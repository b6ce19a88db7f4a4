"""The assortment: leaves of the category tree, invented brands, JAN codes, prices, tastes and cycles."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from journey.simulation import vocabulary
from journey.simulation.days import Days, season_curve
from journey.simulation.laws import Laws

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741 - beside F, the two array kinds used all over this package

COMPLEMENTS = (
    ("シャンプー", "コンディショナー"),
    ("洗濯洗剤", "柔軟剤"),
    ("歯みがき粉", "歯ブラシ"),
    ("化粧水", "乳液・クリーム"),
    ("紙おむつ", "おしりふき"),
    ("トイレットペーパー", "ボックスティッシュ"),
    ("マスク", "花粉対策用品"),
    ("ビール・発泡", "スナック"),
    ("パン", "牛乳・乳製品"),
    ("豆腐・納豆", "卵"),
    ("クレンジング", "洗顔料"),
    ("日やけ止め", "制汗剤"),
    ("キャットフード", "ペットシート・砂"),
    ("ドッグフード", "ペットシート・砂"),
)


def jan_code(first_twelve: str) -> str:
    """A 13-digit JAN: twelve digits and their check digit (weights 1, 3, 1, 3 … from the left)."""
    total = sum(int(digit) * (3 if i % 2 else 1) for i, digit in enumerate(first_twelve))
    return first_twelve + str(-total % 10)


@dataclass(frozen=True)
class Leaves:
    """The leaves of the category tree: what kind of need a product serves."""

    category: list[str]
    name: list[str]
    top: I  # (L,) number of the top category
    tops: list[str]
    cycle: F  # (L,) mean days between repurchases
    use: F  # (L,) share of the customers it concerns who use it
    need: list[str]
    multi: F  # (L,) mean units per line
    season: list[str]
    demand: F  # (L, days) seasonal demand factor
    complement: I  # (L,) leaf that goes with it, or -1


@dataclass(frozen=True)
class Products:
    """Products sorted by leaf, so that a leaf is the slice ``start[l]:stop[l]``."""

    ids: list[str]
    names: list[str]
    brand: list[str]
    noun: list[str]  # what it is, in one word
    leaf: I  # (P,)
    start: I
    stop: I
    price: I  # yen, tax included
    taste: F  # (P, D)
    popularity: F  # (P,) heavy-tailed weight
    released: I  # day number, may be far before the window
    discontinued: I  # day number, after the window where it stays
    carried: NDArray[np.bool_]  # (stores + EC, P)
    attributes: list[str]
    staple: I  # (L,) the best seller of each leaf: on sale everywhere and always
    magnets: I  # products that first visits are often made for
    offered: NDArray[np.bool_]  # (P,) may be suggested: no alcohol, no tobacco, no 第1類


def make_leaves(days: Days) -> Leaves:
    """The leaves, with their demand on each day of the window."""
    rows = vocabulary.rows("leaves")
    category = [r["category"] for r in rows]
    name = [c.split(" > ")[-1] for c in category]
    top_names = [c.split(" > ")[0] for c in category]
    tops = list(dict.fromkeys(top_names))
    complement = np.full(len(rows), -1, dtype=np.int64)
    for a, b in COMPLEMENTS:
        complement[name.index(a)] = name.index(b)
    return Leaves(
        category,
        name,
        np.array([tops.index(t) for t in top_names], dtype=np.int64),
        tops,
        np.array([float(r["cycle"]) for r in rows]),
        np.array([float(r["use"]) for r in rows]),
        [r["need"] for r in rows],
        np.array([float(r["multi"]) for r in rows]),
        [r["season"] for r in rows],
        np.stack([season_curve(r["season"], days.day_of_year) for r in rows]),
        complement,
    )


def make_products(n: int, leaves: Leaves, days: Days, n_stores: int, laws: Laws, rng: np.random.Generator) -> Products:
    """Draws about ``n`` products (at least two per leaf); the first of each leaf is always on sale everywhere."""
    rows = vocabulary.rows("leaves")
    brands = {r["top"]: r["brands"].split("|") for r in vocabulary.rows("brands")}
    options = [
        [(b, item) for b in [*brands[leaves.tops[leaves.top[k]]], *brands["*"]] for item in _items(row["items"])]
        for k, row in enumerate(rows)
    ]
    per_leaf = _share_out(n, leaves, np.array([len(o) for o in options]))
    level = {b: 0.55 * rng.uniform(0.0, 0.7) for own in brands.values() for b in own} | {brands["*"][0]: -0.05}
    makers: dict[str, str] = {}
    serial: dict[str, int] = {}
    ids: list[str] = []
    names: list[str] = []
    brand_of: list[str] = []
    nouns: list[str] = []
    attributes: list[str] = []
    prices: list[int] = []
    for leaf, row in enumerate(rows):
        low, high = float(row["price_low"]), float(row["price_high"])
        editions = -(-int(per_leaf[leaf]) // len(options[leaf]))
        picked = np.concatenate([rng.permutation(len(options[leaf])) for _ in range(editions)])[: per_leaf[leaf]]
        for place, number in enumerate(picked):
            brand, (noun, variant, size, step) = options[leaf][int(number)]
            maker = makers.setdefault(brand, f"{'45' if len(makers) % 2 else '49'}{10_000 + 317 * len(makers):05d}")
            serial[maker] = serial.get(maker, 0) + 1
            ids.append(jan_code(f"{maker}{serial[maker]:05d}"))
            edition = place // len(options[leaf])
            names.append(f"{brand} {noun} {variant} {size}" + (f" 企画品{edition}" if edition else ""))
            brand_of.append(brand)
            nouns.append(noun.split(" ")[0])
            share = np.clip(level[brand] + 0.45 * step + rng.normal(0, 0.06), 0, 1)
            prices.append(int(max(round((low + share * (high - low)) / 10) * 10 - 2, 48)))
            attributes.append(_attributes(row["flag"], size, variant))
    leaf_of = np.repeat(np.arange(len(rows)), per_leaf)
    p = len(ids)
    start = np.concatenate([[0], np.cumsum(per_leaf)[:-1]])
    centre = rng.normal(0, 1, (len(leaves.tops), laws.taste_dimensions))[leaves.top]
    centre = 0.5 * centre + rng.normal(0, 0.6, (len(rows), laws.taste_dimensions))
    makers_taste = {b: rng.normal(0, 0.5, laws.taste_dimensions) for b in makers}
    taste = (
        centre[leaf_of] + np.stack([makers_taste[b] for b in brand_of]) + rng.normal(0, 0.6, (p, laws.taste_dimensions))
    )
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    rank = np.concatenate([rng.permutation(k) + 1 for k in per_leaf])
    demand = leaves.use / leaves.cycle * leaves.multi**0.3
    zipf = rank**-laws.zipf_exponent
    zipf /= np.add.reduceat(zipf, start)[leaf_of]
    released = np.where(rng.random(p) < 0.08, rng.integers(0, days.n, p), -rng.integers(30, 2000, p))
    discontinued = np.where(rng.random(p) < 0.04, rng.integers(days.n // 4 + 1, days.n + 1, p), 10_000)
    discontinued = np.where(released >= 0, 10_000, discontinued)
    carried = rng.random((n_stores + 1, p)) < np.clip(0.68 + 0.5 * zipf, 0, 1)
    carried[-1] = True
    first = start + np.array([int(np.argmin(rank[a : a + k])) for a, k in zip(start, per_leaf, strict=True)])
    released[first], discontinued[first], carried[:, first] = -900, 10_000, True
    flags = np.array([row["flag"] for row in rows])[leaf_of]
    carried[-1, flags == "たばこ"] = False
    always = np.flatnonzero(carried[:-1].all(axis=0) & (released < 0) & (discontinued == 10_000))
    magnets = rng.choice(always, max(3, min(len(always), round(p * laws.magnet_share))), replace=False)
    offered = ~np.isin(flags, ("酒", "たばこ", "第1類"))
    return Products(
        ids, names, brand_of, nouns, leaf_of, start, start + per_leaf, np.array(prices, dtype=np.int64), taste,
        demand[leaf_of] * zipf, released, discontinued, carried, attributes, first, magnets, offered,
    )  # fmt: skip


def _items(text: str) -> list[tuple[str, str, str, float]]:
    """``noun[variants][sizes];…`` → (noun, variant, size, step of the size from 0 to 1)."""
    out = []
    for noun, variants, sizes in re.findall(r"([^;\[]+)\[([^\]]+)\]\[([^\]]+)\]", text):
        steps = sizes.split("|")
        out += [(noun, v, s, i / max(1, len(steps) - 1)) for v in variants.split("|") for i, s in enumerate(steps)]
    return out


def _share_out(n: int, leaves: Leaves, room: I) -> I:
    """Products per leaf: more where more is sold, at least two, beyond ``room`` only when every leaf is full."""
    weight = (leaves.use / leaves.cycle) ** 0.25
    per_leaf = np.maximum(2, np.minimum(room, np.round(n * weight / weight.sum()))).astype(np.int64)
    while per_leaf.sum() < min(n, room.sum()):
        free = room > per_leaf
        more = np.round((n - per_leaf.sum()) * weight * free / (weight * free).sum()).astype(np.int64)
        per_leaf += np.minimum(np.maximum(more, free & (more.sum() == 0)), room - per_leaf)
    if n > room.sum():
        per_leaf += np.round((n - room.sum()) * weight / weight.sum()).astype(np.int64)
    return np.asarray(per_leaf, dtype=np.int64)


def _attributes(flag: str, size: str, variant: str) -> str:
    unit = "".join(c for c in size.split(" ")[-1] if not (c.isascii() and (c.isdigit() or c == "."))) or "個"
    document: dict[str, object] = {
        "size": size,
        "unit": unit,
        "variant": variant,
        "age_restricted": flag in ("酒", "たばこ"),
    }
    if flag.startswith("第"):
        document["otc_class"] = flag
    document["sensitive"] = flag.startswith("第") or flag in ("酒", "たばこ")
    return json.dumps(document, ensure_ascii=False)


def products_table(products: Products, leaves: Leaves, days: Days) -> pl.DataFrame:
    """The ``products`` table of the extract; goods released after the window's end are not in it."""
    ended = products.discontinued < 10_000
    return pl.DataFrame(
        {
            "product_id": products.ids,
            "name": products.names,
            "category": [leaves.category[i] for i in products.leaf],
            "brand": products.brand,
            "price": products.price,
            "released_on": [(days.start + timedelta(days=int(d))).isoformat() for d in products.released],
            "discontinued_on": [
                (days.start + timedelta(days=int(d))).isoformat() if e else None
                for d, e in zip(products.discontinued, ended, strict=True)
            ],
            "attributes": products.attributes,
        }
    )
