"""Products: search by barcode or name, and one product with its stock here and nearby."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store, requires
from clerk_ui.database_sessions import reading
from clerk_ui.field_types import Body, Document, Id, Line, Price
from clerk_ui.openapi import answers
from journey.products import Product
from journey.shelf import StockView, find_products, product, stock_of

blueprint = APIBlueprint("products", __name__, tag="Products", url_prefix="/api/products")


class Nearby(Document):
    """How many another store has."""

    store_id: str
    name: str
    quantity: float


class StockDocument(Document):
    """``here`` is null where the store's stock is not known."""

    here: float | None
    as_of: datetime | None
    nearby: list[Nearby]


class ProductDocument(Document):
    """A product; ``price`` includes tax (総額)."""

    product_id: str
    name: str
    category: str | None
    brand: str | None
    price: Price | None
    image_url: str | None
    released_on: date | None
    discontinued_on: date | None
    stock: StockDocument


class ProductList(Document):
    """Products that match."""

    products: list[ProductDocument]


class ProductSearch(Body):
    """What was scanned or typed; machines name the store whose stock is ``here``."""

    q: Line = Field("", description="JAN/EAN-13/8 or UPC-A, id, name or brand")
    store_id: Id | None = None


class InStore(Body):
    """Machines name the store whose stock is ``here``."""

    store_id: Id | None = None


@blueprint.get("")
@blueprint.output(ProductList)
@blueprint.doc(operation_id="findProducts", security=["machine", "tablet"])
@requires("products")
@blueprint.input(ProductSearch, location="query", arg_name="search")
def find(caller: Caller, search: ProductSearch) -> dict[str, Any]:
    """Search by barcode, id, name or brand. A barcode with a right check digit is never searched as a name."""
    store_id = acting_store(caller, search.store_id)
    return {"products": product_documents(reading(), find_products(reading(), search.q), store_id)}


@blueprint.get("/<product_id>")
@blueprint.output(ProductDocument)
@blueprint.doc(operation_id="getProduct", security=["machine", "tablet"], responses=answers({404: "no such product"}))
@requires("products")
@blueprint.input(InStore, location="query", arg_name="where")
def get(caller: Caller, product_id: str, where: InStore) -> dict[str, Any]:
    """One product, with stock here and in other stores (those of the same area first)."""
    store_id = acting_store(caller, where.store_id)
    return product_documents(reading(), [product(reading(), product_id)], store_id)[0]


def product_documents(session: Session, products: Sequence[Product], store_id: str | None) -> list[dict[str, Any]]:
    """Products as sent, with their stock; one statement for the stock of all."""
    stock = stock_of(session, [one.product_id for one in products], store_id)
    return [
        product_head(one)
        | {
            "released_on": one.released_on,
            "discontinued_on": one.discontinued_on,
            "stock": stock_document(stock[one.product_id]),
        }
        for one in products
    ]


def product_head(one: Product) -> dict[str, Any]:
    """What is shown of a product in a list."""
    return {
        "product_id": one.product_id,
        "name": one.name,
        "category": one.category,
        "brand": one.brand,
        "price": one.price,
        "image_url": image_url(one.attributes),
    }


def image_url(attributes: dict[str, Any] | None) -> str | None:
    """The picture's address among a product's attributes, if it is one that the content policy lets a page load."""
    return shown_address((attributes or {}).get("image_url"))


def shown_address(address: Any) -> str | None:
    """An address as it is, if the content policy lets a page load it; else None."""
    if not isinstance(address, str):
        return None
    parts = urlsplit(address)
    own = not parts.scheme and not parts.netloc and address.startswith("/")
    named = parts.scheme == "https" and parts.netloc.lower() in settings().web.image_hosts.split()
    return address if own or named else None


def stock_document(stock: StockView) -> dict[str, Any]:
    """Stock as sent."""
    return {
        "here": stock.here,
        "as_of": stock.as_of,
        "nearby": [{"store_id": n.store_id, "name": n.name, "quantity": n.quantity} for n in stock.nearby],
    }
