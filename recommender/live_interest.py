"""What the last days on the web and the things at hand say, on the same scale as the lists made ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.candidate_set import GROUND, Candidates
from recommender.catalogue import Catalogue
from recommender.columns import SOURCES
from recommender.online_events import RecentEvent
from recommender.trained import ItemNeighbours, TrainedModel

DAY: Final = 86_400_000_000
HORIZON: Final = 14 * DAY
HALF_LIFE: Final = 3 * DAY
WEB: Final = SOURCES.index("web")
BASKETS: Final = SOURCES.index("baskets")
PRODUCTS_HEEDED: Final = 8
NEIGHBOURS_HEEDED: Final = 12

RATES: Final[dict[str, float]] = {
    "view": 0.10,
    "content_view": 0.06,
    "recommend_click": 0.12,
    "search": 0.08,
    "favorite": 0.18,
    "cart": 0.30,
}
"""Probability that a product just looked at is bought in the store; a version may bring its own measured rates."""

GROUND_OF_KIND: Final[dict[str, int]] = {
    "view": GROUND["viewed_itself"],
    "content_view": GROUND["viewed_itself"],
    "recommend_click": GROUND["viewed_itself"],
    "search": GROUND["searched"],
    "favorite": GROUND["favorited"],
    "cart": GROUND["carted"],
}
IN_HAND_RATE: Final = 0.6
COVIEW_SHARE: Final = 0.5
"""Of those who looked at two things together, the share for whom the second is of interest in the store too."""


class Interest(NamedTuple):
    """A product somebody showed interest in: how likely they buy it, and by which event at what time (µs UTC)."""

    product: int
    probability: float
    ground: int
    at: int


def interests(
    events: Iterable[RecentEvent], catalogue: Catalogue, rates: dict[str, float], *, now: int
) -> list[Interest]:
    """The products of the last days' events, strongest first; purchases on the web take their product away.

    Interest halves every HALF_LIFE; several events join by noisy-or, the strongest one gives the ground.
    """
    missed: dict[int, float] = {}
    best: dict[int, Interest] = {}
    done: dict[int, int] = {}
    for event in events:
        age = now - event.at
        if age > HORIZON:
            continue
        if event.kind == "purchase":
            number = catalogue.number(event.product_id)
            done[number] = max(done.get(number, 0), event.at)
            continue
        rate = rates.get(event.kind)
        if rate is None:
            continue
        p = rate * 0.5 ** (max(age, 0) / HALF_LIFE)
        if event.product_id:
            numbers = [catalogue.number(event.product_id)]
        else:
            numbers = catalogue.search(event.query).tolist() if event.query else []
            p /= max(len(numbers), 1)
        for number in numbers:
            if number < 0:
                continue
            missed[number] = missed.get(number, 1.0) * (1.0 - p)
            if number not in best or p > best[number].probability:
                best[number] = Interest(number, p, GROUND_OF_KIND[event.kind], event.at)
    found = [
        entry._replace(probability=1.0 - missed[number])
        for number, entry in best.items()
        if done.get(number, -1) < entry.at
    ]
    return sorted(found, key=lambda entry: -entry.probability)


def web_parts(model: TrainedModel, found: Sequence[Interest]) -> list[Candidates]:
    """The products themselves, and those that go with the strongest of them."""
    if not found:
        return []
    parts = [
        Candidates(
            product=np.array([entry.product for entry in found], np.int32),
            probability=np.array([entry.probability for entry in found]),
            is_new=np.ones(len(found), np.bool_),
            source=np.full(len(found), WEB, np.uint8),
            ground=np.array([entry.ground for entry in found], np.uint8),
            evidence=np.array([entry.product for entry in found], np.int32),
            value=np.array([entry.at for entry in found], np.float64),
        )
    ]
    for entry in found[:PRODUCTS_HEEDED]:
        for table, share in ((model.coview, COVIEW_SHARE), (model.copurchase, COVIEW_SHARE)):
            product, weight = strongest(table, entry.product)
            if len(product):
                parts.append(
                    Candidates.uniform(
                        product, weight * (share * entry.probability), source=WEB, ground=GROUND["viewed"],
                        evidence=entry.product, value=entry.at,
                    )
                )  # fmt: skip
                break
    return parts


def in_hand_parts(model: TrainedModel, held: Sequence[int]) -> list[Candidates]:
    """What goes with the products scanned, looked at or in the basket just now, latest last."""
    parts = []
    for product_at_hand in list(dict.fromkeys(reversed(held)))[:PRODUCTS_HEEDED]:
        for table, ground, rate in (
            (model.copurchase, "in_hand", IN_HAND_RATE),
            (model.coview, "seen_with", IN_HAND_RATE * COVIEW_SHARE),
        ):
            product, weight = strongest(table, product_at_hand)
            if len(product):
                parts.append(
                    Candidates.uniform(
                        product, weight * rate, source=BASKETS, ground=GROUND[ground], evidence=product_at_hand
                    )
                )
    return parts


def next_look_part(product: NDArray[np.int32], share: NDArray[np.float32], at_hand: int) -> Candidates:
    """What is looked at next where `at_hand` was the latest look, by the share of looks it gets."""
    chance = np.minimum(share.astype(np.float64), 1.0) * (IN_HAND_RATE * COVIEW_SHARE)
    return Candidates.uniform(product, chance, source=WEB, ground=GROUND["seen_with"], evidence=at_hand)


def strongest(table: ItemNeighbours, product: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The first NEIGHBOURS_HEEDED neighbours of a product and their weights."""
    place = table.row(product)
    place = slice(place.start, min(place.stop, place.start + NEIGHBOURS_HEEDED))
    return np.asarray(table.product[place]), np.minimum(table.weight[place].astype(np.float64), 1.0)
