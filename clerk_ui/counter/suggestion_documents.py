"""What is asked and answered about suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, RootModel

from clerk_ui.counter.products import StockDocument, image_url, stock_document
from clerk_ui.field_types import Body, Document, Id, Price
from journey.products import Product
from journey.shelf import StockView
from recommender.requests import Proposal

MOST = 50


class SuggestionBody(Body):
    """Who asks for whom. A tablet may leave out ``store_id`` and ``clerk_id``: they are its own."""

    store_id: Id | None = None
    clerk_id: Id | None = None
    k: int = Field(5, ge=1, le=MOST)
    kind: Literal["all", "repeat", "explore"] = "all"
    seen_products: list[Id] = Field(default=[], max_length=MOST, description="looked at or scanned just now")
    basket: list[Id] = Field(default=[], max_length=MOST, description="what the customer holds")


class ProductHead(Document):
    """The product of a suggestion; ``price`` includes tax (総額)."""

    product_id: str
    name: str
    category: str | None
    brand: str | None
    price: Price | None
    image_url: str | None


class SuggestionDocument(Document):
    """One suggestion as shown. ``reason`` cites the customer's own behaviour, ``talk`` is a line to say."""

    suggestion_id: str
    rank: int
    product: ProductHead
    reason: str
    talk: str
    probability: float
    stock: StockDocument
    marks: list[str] = Field(description="first_in_category, first_purchase, focus, explored")
    kind: str
    source: str


class SuggestionList(RootModel[list[SuggestionDocument]]):
    """The set, best first; empty where nothing fits or the customer belongs to the hold-out group."""


def suggestion_document(one: Proposal, product: Product | None, stock: StockView) -> Mapping[str, Any]:
    """A proposal as sent."""
    return {
        "suggestion_id": one.suggestion_id,
        "rank": one.rank,
        "product": {
            "product_id": one.product_id,
            "name": one.name,
            "category": one.category,
            "brand": product.brand if product else None,
            "price": one.price,
            "image_url": image_url(product.attributes) if product else None,
        },
        "reason": one.reason,
        "talk": one.talk,
        "probability": round(one.probability, 4),
        "stock": stock_document(stock),
        "marks": list(one.marks),
        "kind": one.kind,
        "source": one.source,
    }
