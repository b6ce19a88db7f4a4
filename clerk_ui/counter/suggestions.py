"""Suggestions for a customer, and what goes with an item for somebody whose name we do not know."""

from __future__ import annotations

from dataclasses import replace

import orjson
from apiflask import APIBlueprint
from flask import Response

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.know_how_memory import know_how_beside
from clerk_ui.counter.places import place
from clerk_ui.counter.shelf_memory import shelves
from clerk_ui.counter.suggestion_documents import SuggestionBody, SuggestionList, suggestion_document
from clerk_ui.database_sessions import end_reading, reading, request_time
from clerk_ui.metrics import RULES, SUGGESTIONS
from clerk_ui.openapi import answers
from journey.identity import owner_of_visitor
from journey.shelf import product
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
    store_id, clerk_id = place(caller, body.store_id, body.clerk_id)
    request = SuggestionRequest(
        store_id=store_id,
        customer_id=customer_id,
        clerk_id=clerk_id,
        device_id=caller.tablet.device_id if caller.tablet else None,
        k=body.k,
        kind=body.kind,
        seen_products=tuple(body.seen_products),
        basket=tuple(body.basket),
        channel=body.shown_on,
    )
    end_reading()  # what asks who is calling is done; outside of a transaction statements are quicker
    made = recommendations.suggestions(reading(), request, now=request_time())
    return _answer(made, "customer")


@blueprint.post("/visitors/<visitor_id>/suggestions")
@blueprint.output(SuggestionList)
@blueprint.doc(operation_id="suggestForVisitor", security="machine", responses=NOT_MADE)
@requires("suggestions")
@blueprint.input(SuggestionBody, arg_name="body")
def suggest_for_visitor(caller: Caller, visitor_id: str, body: SuggestionBody) -> Response:
    """Suggestions for a cookie: those of its customer where log-in has linked it, else by what it looked at.

    For the web shop's server; a click on one comes back as `recommend_click` with its `suggestion_id` as `content_id`.
    """
    store_id, clerk_id = place(caller, body.store_id, body.clerk_id)
    request = SuggestionRequest(
        store_id=store_id,
        visitor_id=visitor_id,
        clerk_id=clerk_id,
        k=body.k,
        kind=body.kind,
        seen_products=tuple(body.seen_products),
        basket=tuple(body.basket),
        channel=body.shown_on,
    )
    owner = owner_of_visitor(reading(), visitor_id)
    if owner is not None:
        request = replace(request, customer_id=owner, visitor_id=None)
    end_reading()
    made = recommendations.suggestions(reading(), request, now=request_time())
    return _answer(made, "visitor")


@blueprint.post("/products/<product_id>/suggestions")
@blueprint.output(SuggestionList)
@blueprint.doc(operation_id="suggestForProduct", security=["machine", "tablet"], responses=NOT_MADE)
@requires("suggestions")
@blueprint.input(SuggestionBody, arg_name="body")
def suggest_for_product(caller: Caller, product_id: str, body: SuggestionBody) -> Response:
    """What goes with this item: the anonymous path, nobody is identified."""
    store_id, clerk_id = place(caller, body.store_id, body.clerk_id)
    item = product(reading(), product_id)
    request = SuggestionRequest(
        store_id=store_id,
        clerk_id=clerk_id,
        device_id=caller.tablet.device_id if caller.tablet else None,
        k=body.k,
        seen_products=tuple(body.seen_products),
        basket=tuple(body.basket),
        channel=body.shown_on,
    )
    end_reading()
    made = recommendations.suggestions_for_product(reading(), item.product_id, request, now=request_time())
    return _answer(made, "product")


def _answer(made: SuggestionSet, path: str) -> Response:
    SUGGESTIONS.labels(path).inc(len(made.proposals))
    for rule, times in made.rules.items():
        RULES.labels(rule).inc(times)
    shelf = shelves(made.proposals, made.request.store_id)
    beside = know_how_beside(made.proposals, made.request.store_id)
    documents = [
        suggestion_document(one, its_shelf, beside.get(one.suggestion_id))
        for one, its_shelf in zip(made.proposals, shelf, strict=True)
    ]
    return Response(orjson.dumps(documents), mimetype="application/json")
