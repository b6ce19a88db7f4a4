"""What is sent of a product beside a suggestion, written as JSON once and remembered for a minute: its head, and its
stock in other stores.

The stock of the store itself is not remembered: the recommender reads it anew for every set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from flask import Flask, current_app

from clerk_ui.counter.products import shown_address
from clerk_ui.database_sessions import reading
from clerk_ui.fading_memory import FadingMemory
from clerk_ui.json_values import plain
from journey.shelf import nearby
from recommender.requests import Proposal

KEY = "osusume.shelf"
NONE = orjson.Fragment(b"[]")


@dataclass(frozen=True)
class Shelf:
    """A product's head (`ProductHead`), and where else it is in stock, as seen from one store."""

    product: orjson.Fragment
    nearby: orjson.Fragment


def init_app(app: Flask) -> None:
    """Make this worker's memory."""
    app.extensions[KEY] = FadingMemory[tuple[str, str], Shelf](seconds=60)


def shelves(proposals: Sequence[Proposal], store_id: str) -> list[Shelf]:
    """The shelf of each proposal's product; those not remembered are read in one statement."""
    memory: FadingMemory[tuple[str, str], Shelf] = current_app.extensions[KEY]
    found = [memory.get((store_id, one.product_id)) for one in proposals]
    missing = [one.product_id for one, shelf in zip(proposals, found, strict=True) if shelf is None]
    if not missing:
        return [shelf for shelf in found if shelf is not None]
    elsewhere = nearby(reading(), missing, store_id)
    whole = []
    for one, shelf in zip(proposals, found, strict=True):
        if shelf is None:
            places = [vars(place) for place in elsewhere.get(one.product_id, ())]
            shelf = Shelf(_head(one), orjson.Fragment(orjson.dumps(places)) if places else NONE)
            memory.put((store_id, one.product_id), shelf)
        whole.append(shelf)
    return whole


def _head(one: Proposal) -> orjson.Fragment:
    document = {
        "product_id": one.product_id,
        "name": one.name,
        "category": one.category,
        "brand": one.brand,
        "price": one.price,
        "image_url": shown_address(one.picture),
    }
    return orjson.Fragment(orjson.dumps(document, default=plain))
