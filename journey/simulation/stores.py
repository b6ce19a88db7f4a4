"""Stores: places, opening hours and the shape of a day at the door; one EC shop beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from journey.simulation import vocabulary

CHAIN = "ことほぎドラッグ"
QUARTERS = 96
OPENS, CLOSES = 9, 22  # local hours

_HUMPS: dict[str, tuple[tuple[tuple[float, float, float], ...], tuple[tuple[float, float, float], ...]]] = {
    # kind of place: (hour, width, weight) on working days, and on weekends and holidays
    "station": (((8.9, 0.8, 0.5), (12.5, 1.0, 1.0), (18.6, 1.7, 2.2)), ((13.5, 2.6, 1.6), (17.5, 2.0, 1.2))),
    "residential": (((10.6, 1.3, 1.5), (16.8, 1.8, 1.6)), ((11.2, 1.6, 1.5), (16.0, 2.2, 1.5))),
    "suburb": (((10.8, 1.6, 1.1), (17.6, 1.8, 1.7)), ((11.6, 1.7, 1.8), (15.4, 2.0, 1.8))),
}


@dataclass(frozen=True)
class Stores:
    """``n`` stores with a door, numbered 0 … n-1; number ``n`` is the EC shop."""

    n: int
    ids: list[str]
    names: list[str]
    kinds: list[str]
    areas: list[str]
    opened: list[str]
    size: NDArray[np.float64]  # (n,) share of customers who live near
    profile: NDArray[np.float64]  # (n, 8 kinds of day, 96 quarters), sums to 1 over the quarters


def make_stores(n: int, rng: np.random.Generator) -> Stores:
    """Draws ``n`` stores; places repeat with a number only where there are more stores than places."""
    places = vocabulary.rows("places")
    first = int(rng.integers(len(places)))  # neighbours in the list are neighbours on the map: a regional chain
    chosen = [places[(first + i) % len(places)] for i in range(n)]
    again = [f"第{i // len(places) + 1}" if i >= len(places) else "" for i in range(n)]
    kinds = [place["kind"] for place in chosen]
    hour = (np.arange(QUARTERS) + 0.5) / 4
    is_open = (hour >= OPENS) & (hour < CLOSES)
    profile = np.zeros((n, 8, QUARTERS))
    for store, kind in enumerate(kinds):
        tilt = rng.normal(0, 0.25, 2)
        for day in range(8):
            humps = _HUMPS[kind][1 if day >= 5 else 0]
            curve = np.full(QUARTERS, 0.25)
            for i, (centre, width, weight) in enumerate(humps):
                shift = tilt[min(i, 1)]
                curve += weight * np.exp(-0.5 * ((hour - centre - shift) / width) ** 2)
            profile[store, day] = np.where(is_open, curve, 0)
    profile /= profile.sum(axis=2, keepdims=True)
    size = rng.lognormal(0, 0.25, n)
    opened = [
        f"{int(y)}-{int(m):02d}-01" for y, m in zip(rng.integers(1996, 2024, n), rng.integers(1, 13, n), strict=True)
    ]
    return Stores(
        n,
        [f"S{i + 1:03d}" for i in range(n)] + ["EC001"],
        [f"{CHAIN} {p['place']}{a}店" for p, a in zip(chosen, again, strict=True)] + [f"{CHAIN} オンラインショップ"],
        [*kinds, "ec"],
        [p["prefecture"] for p in chosen] + [""],
        [*opened, "2017-04-01"],
        size / size.sum(),
        profile,
    )


def stores_table(stores: Stores) -> pl.DataFrame:
    """The ``stores`` table of the extract."""
    return pl.DataFrame(
        {
            "store_id": stores.ids,
            "name": stores.names,
            "area": [a or None for a in stores.areas],
            "timezone": ["Asia/Tokyo"] * len(stores.ids),
            "opened_on": stores.opened,
        }
    )
