"""What is shown of a product beside a suggestion: brand, picture, and stock in other stores, remembered for a minute.

The stock of the store itself is not remembered: the recommender reads it anew for every set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select

from clerk_ui.counter.products import image_url
from clerk_ui.database_sessions import reading
from clerk_ui.fading_memory import FadingMemory
from journey.products import Product
from journey.shelf import stock_of

KEY = "osusume.shelf"
PRODUCT = Product.__table__.c


@dataclass(frozen=True)
class Shelf:
    """A product's brand and picture, and where else it is in stock, as seen from one store."""

    brand: str | None
    image_url: str | None
    nearby: list[dict[str, Any]]


def init_app(app: Flask) -> None:
    """Make this worker's memory."""
    app.extensions[KEY] = FadingMemory[tuple[str, str], Shelf](seconds=60)


def shelves(product_ids: Sequence[str], store_id: str) -> dict[str, Shelf]:
    """The shelf of each product; those not remembered are read in two statements."""
    memory: FadingMemory[tuple[str, str], Shelf] = current_app.extensions[KEY]
    found = {product_id: memory.get((store_id, product_id)) for product_id in product_ids}
    missing = [product_id for product_id, shelf in found.items() if shelf is None]
    if missing:
        session = reading()
        stock = stock_of(session, missing, store_id)
        rows = session.execute(
            select(PRODUCT.product_id, PRODUCT.brand, PRODUCT.attributes).where(PRODUCT.product_id.in_(missing))
        )
        for product_id, brand, attributes in rows:
            nearby = [vars(place) for place in stock[product_id].nearby]
            shelf = Shelf(brand, image_url(attributes), nearby)
            found[product_id] = shelf
            memory.put((store_id, product_id), shelf)
    unknown = Shelf(None, None, [])
    return {product_id: shelf or unknown for product_id, shelf in found.items()}
