"""What is asked and answered about suggestions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from pydantic import Field, RootModel

from clerk_ui.counter.know_how_memory import CardHead
from clerk_ui.counter.products import Nearby
from clerk_ui.counter.shelf_memory import Shelf
from clerk_ui.field_types import Body, Document, Id, Price
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
    channel: Literal["store", "ec", "app"] = Field("store", description="where it is shown; the web shop's own is ec")

    @property
    def shown_on(self) -> str | None:
        """The channel as it is logged: none where a clerk shows it."""
        return None if self.channel == "store" else self.channel


class ProductHead(Document):
    """The product of a suggestion; ``price`` includes tax (総額)."""

    product_id: str
    name: str
    category: str | None
    brand: str | None
    price: Price | None
    image_url: str | None


class StockBeside(Document):
    """``here`` is null where the store's stock is not known; stock elsewhere may be a minute old."""

    here: float | None
    nearby: list[Nearby]


class SuggestionDocument(Document):
    """One suggestion as shown. ``reason`` cites the customer's own behaviour, ``talk`` is a line to say."""

    suggestion_id: str
    rank: int
    product: ProductHead
    reason: str
    talk: str
    probability: float
    stock: StockBeside
    marks: list[str] = Field(description="first_in_category, first_purchase, focus, explored")
    kind: str
    source: str
    know_how: CardHead | None = Field(description="the store's know-how card that fits it best, if any")


class SuggestionList(RootModel[list[SuggestionDocument]]):
    """The set, best first; empty where nothing fits or the customer belongs to the hold-out group."""


def suggestion_document(one: Proposal, shelf: Shelf, know_how: orjson.Fragment | None = None) -> Mapping[str, Any]:
    """A proposal as sent; its keys are those of `SuggestionDocument`."""
    return {
        "suggestion_id": one.suggestion_id,
        "rank": one.rank,
        "product": shelf.product,
        "reason": one.reason,
        "talk": one.talk,
        "probability": round(one.probability, 4),
        "stock": {"here": one.stock, "nearby": shelf.nearby},
        "marks": one.marks,
        "kind": one.kind,
        "source": one.source,
        "know_how": know_how,
    }
