"""Getting to a customer, and the card."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify
from pydantic import Field
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store, requires
from clerk_ui.counter.authors import author
from clerk_ui.counter.consent import may_profile
from clerk_ui.counter.customer_documents import CustomerCard, CustomerList, Frequent, NoteBody, NoteDocument
from clerk_ui.counter.offers import note_shown, offer_document, offers_to_make
from clerk_ui.counter.products import InStore
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.field_types import Body, Line
from clerk_ui.openapi import answers
from journey.arrivals import attend
from journey.audit import record_act
from journey.customer_cards import (
    frequent_products,
    last_answer,
    last_store_visit,
    notes,
    open_coupons,
    waiting_orders,
    web_interests,
)
from journey.customer_notes import add_note
from journey.customer_search import current_customer, find_customers
from journey.customers import Customer
from journey.local_days import local_date, store_zone, zone

blueprint = APIBlueprint("customers", __name__, tag="Customers", url_prefix="/api/customers")


class Search(Body):
    """What was scanned or typed."""

    q: Line = Field("", description="member code in any symbology, name, or reading in any kana")


@blueprint.get("")
@blueprint.output(CustomerList)
@blueprint.doc(operation_id="findCustomers", security=["machine", "tablet"])
@requires("customers")
@blueprint.input(Search, location="query", arg_name="search")
def find(caller: Caller, search: Search) -> Response:
    """Search by member code (JAN, NW-7 with or without its frame, CODE39, CODE128), name or kana.

    A code that names somebody is the only answer (`exact`). Names match in hiragana, katakana of both widths and kanji.
    """
    return jsonify({"customers": [asdict(found) for found in find_customers(reading(), search.q)]})


@blueprint.get("/<customer_id>")
@blueprint.output(CustomerCard)
@blueprint.doc(operation_id="getCustomer", security=["machine", "tablet"], responses=answers({404: "no such customer"}))
@requires("customers")
@blueprint.input(InStore, location="query", arg_name="where")
def card(caller: Caller, customer_id: str, where: InStore) -> dict[str, Any]:
    """The card. Opening it is written to the audit log, and ends the wait of somebody who had checked in.

    Its offers are recorded as shown, once a day for each clerk. Without consent to profiling there are no web
    interests and no habits on it.
    """
    session, store_id = reading(), acting_store(caller, where.store_id)
    customer = current_customer(session, customer_id)
    document = card_document(session, customer, store_id)
    offers = offers_to_make(session, caller, customer, store_id)
    document["offers"] = [offer_document(one) for one in offers]
    with writing() as writer:
        note_shown(writer, offers)
        record_act(
            writer,
            at=request_time(),
            actor=caller.actor,
            action="customer.viewed",
            subject_kind="customer",
            subject_id=customer.customer_id,
            detail={"device_id": caller.tablet.device_id} if caller.tablet else None,
        )
        if caller.tablet is not None and caller.person is not None:
            attend(writer, caller.tablet.store_id, customer.customer_id, caller.person.clerk_id, now=request_time())
    return document


@blueprint.post("/<customer_id>/notes")
@blueprint.output(NoteDocument, status_code=201)
@blueprint.doc(
    operation_id="addNote",
    security=["machine", "tablet"],
    responses=answers({200: ("kept before", "NoteDocument"), 404: "no such customer", 409: "other content"}),
)
@requires("customers", person=False)
@blueprint.input(NoteBody, arg_name="body")
def write_note(caller: Caller, customer_id: str, body: NoteBody) -> tuple[dict[str, Any], int]:
    """Keep a clerk's note under an id made by the client; the same again changes nothing."""
    with writing() as session:
        customer = current_customer(session, customer_id)
        clerk = author(session, caller, body.clerk_id)
        note, added = add_note(
            session,
            note_id=body.note_id,
            customer_id=customer.customer_id,
            clerk_id=clerk.clerk_id,
            store_id=acting_store(caller, body.store_id) or clerk.store_id,
            text=body.text,
            now=request_time(),
        )
        document = {
            "note_id": note.note_id,
            "text": note.text,
            "written_at": note.written_at,
            "clerk_id": note.clerk_id,
            "clerk_name": clerk.name,
        }
    return document, 201 if added else 200


def card_document(session: Session, customer: Customer, store_id: str | None) -> dict[str, Any]:
    """The card's document for a store's clerks."""
    now, customer_id = request_time(), customer.customer_id
    tz = store_zone(session, store_id, settings().chain.timezone) if store_id else zone(None, settings().chain.timezone)
    visited = last_store_visit(session, customer_id)
    allowed = may_profile(customer.consent_profiling)
    frequent = frequent_products(session, customer_id) if allowed else []
    answer = last_answer(session, customer_id)
    return {
        "customer_id": customer_id,
        "name": customer.name,
        "kana": customer.kana,
        "tier": customer.tier,
        "member_since": customer.joined_on,
        "last_visit_at": visited,
        "days_since_last_visit": (local_date(now, tz) - local_date(visited, tz)).days if visited else None,
        "consent": {
            "profiling": customer.consent_profiling,
            "contact": customer.consent_contact,
            "may_profile": allowed,
        },
        "web_interests": [asdict(one) for one in web_interests(session, customer_id, now=now)] if allowed else [],
        "coupons": [asdict(one) for one in open_coupons(session, customer_id, now=now)],
        "orders": [
            asdict(one) | {"here": store_id in (None, one.store_id)} for one in waiting_orders(session, customer_id)
        ],
        "last_answer": asdict(answer) if answer else None,
        "notes": [asdict(one) for one in notes(session, customer_id)],
        "frequent_products": [Frequent.model_validate(one) for one in frequent],
    }
