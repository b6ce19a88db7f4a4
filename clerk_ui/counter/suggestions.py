"""Suggestions for a customer, and what goes with an item for somebody whose name we do not know."""

from __future__ import annotations

import orjson
from apiflask import APIBlueprint
from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store, requires
from clerk_ui.counter.suggestion_documents import SuggestionBody, SuggestionList, suggestion_document
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.json_values import plain
from clerk_ui.metrics import SUGGESTIONS
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.errors import InputError, NotFound
from journey.products import Product
from journey.shelf import product, stock_of
from journey.stores import Clerk, Store
from recommender.requests import SuggestionRequest, SuggestionSet

blueprint = APIBlueprint("suggestions", __name__, tag="Suggestions", url_prefix="/api")
NOT_MADE = answers({404: "no such customer, product, store or clerk", 503: "no model has been promoted yet"})


@blueprint.post("/customers/<customer_id>/suggestions")
@blueprint.output(SuggestionList)
@blueprint.doc(operation_id="suggest", security=["machine", "tablet"], responses=NOT_MADE)
@requires("suggestions")
@blueprint.input(SuggestionBody, arg_name="body")
def suggest(caller: Caller, customer_id: str, body: SuggestionBody) -> Response:
    """A new set of suggestions for a customer, best first; each is logged as shown, with model and propensity.

    An empty list is an answer too: the customer belongs to the hold-out group, or nothing fits.
    """
    store_id, clerk_id = _place(reading(), caller, body)
    customer = current_customer(reading(), customer_id)
    request = SuggestionRequest(
        store_id=store_id,
        customer_id=customer.customer_id,
        clerk_id=clerk_id,
        device_id=caller.tablet.device_id if caller.tablet else None,
        k=body.k,
        kind=body.kind,
        seen_products=tuple(body.seen_products),
        basket=tuple(body.basket),
    )
    with writing() as session:
        made = recommendations.suggestions(session, request, now=request_time())
    return _answer(made, "customer")


@blueprint.post("/products/<product_id>/suggestions")
@blueprint.output(SuggestionList)
@blueprint.doc(operation_id="suggestForProduct", security=["machine", "tablet"], responses=NOT_MADE)
@requires("suggestions")
@blueprint.input(SuggestionBody, arg_name="body")
def suggest_for_product(caller: Caller, product_id: str, body: SuggestionBody) -> Response:
    """What goes with this item: the anonymous path, nobody is identified."""
    store_id, clerk_id = _place(reading(), caller, body)
    item = product(reading(), product_id)
    request = SuggestionRequest(
        store_id=store_id,
        clerk_id=clerk_id,
        device_id=caller.tablet.device_id if caller.tablet else None,
        k=body.k,
        seen_products=tuple(body.seen_products),
        basket=tuple(body.basket),
    )
    with writing() as session:
        made = recommendations.suggestions_for_product(session, item.product_id, request, now=request_time())
    return _answer(made, "product")


def _place(session: Session, caller: Caller, body: SuggestionBody) -> tuple[str, str | None]:
    """The store and the clerk of a request.

    Raises:
        InputError: a machine names no store.
        NotFound: no such store or clerk.
    """
    store_id = acting_store(caller, body.store_id)
    if store_id is None:
        raise InputError("no store is named", where="json.store_id", what_to_do="name the store of the customer")
    if caller.tablet is None and session.get(Store, store_id) is None:
        raise NotFound(f"no store {store_id!r}", where="store_id", what_to_do="send the id of a store of the record")
    own = caller.person.clerk_id if caller.person else None
    clerk_id = body.clerk_id or own
    if clerk_id is not None and clerk_id != own and session.get(Clerk, clerk_id) is None:
        raise NotFound(f"no clerk {clerk_id!r}", where="clerk_id", what_to_do="send the id of a clerk of the record")
    return store_id, clerk_id


def _answer(made: SuggestionSet, path: str) -> Response:
    session, products = reading(), [one.product_id for one in made.proposals]
    SUGGESTIONS.labels(path).inc(len(products))
    heads = {p.product_id: p for p in session.scalars(select(Product).where(Product.product_id.in_(products)))}
    stock = stock_of(session, products, made.request.store_id)
    documents = [suggestion_document(one, heads.get(one.product_id), stock[one.product_id]) for one in made.proposals]
    return Response(orjson.dumps(documents, default=plain), mimetype="application/json")
