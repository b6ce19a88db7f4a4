"""Know-how cards on the tablet: which ones fit, and who saw or tried them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import request
from pydantic import Field

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store, requires
from clerk_ui.counter.authors import author
from clerk_ui.counter.know_how_memory import CardHead
from clerk_ui.counter.places import place
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.field_types import Body, Document, Id, Moment, parsed_uuid
from clerk_ui.openapi import answers
from journey.errors import InputError
from journey.know_how_cards import LIVE, cards, fitting, record_use

blueprint = APIBlueprint("know_how_cards", __name__, tag="Know-how", url_prefix="/api/know-how-cards")
MOST = 50


class CardDocument(CardHead):
    """A live card. It fits where category (with all below it), product and situation agree; null is anything."""

    category: str | None
    product_id: str | None
    situation: str = Field(
        description="any, new (never bought), familiar (bought before), viewed (looked at on the web)"
    )
    suggestion_ids: list[str] = Field(description="of those asked for, the ones it fits; empty where none was named")


class CardList(Document):
    """Live cards, the newest first."""

    cards: list[CardDocument]


class UseBody(Body):
    """That a clerk saw a card (once a day is enough) or tried what it says."""

    kind: Literal["seen", "tried"]
    clerk_id: Id | None = Field(None, description="who; default: who is signed in")
    store_id: Id | None = None
    suggestion_id: Id | None = None
    used_at: Moment | None = None


class UseDocument(Document):
    """A use as kept."""

    use_id: str
    card_id: str
    clerk_id: str
    kind: str
    suggestion_id: str | None
    used_at: datetime


@blueprint.get("")
@blueprint.output(CardList)
@blueprint.doc(operation_id="knowHowCards", security=["machine", "tablet"])
@requires("suggestions")
def get_cards(caller: Caller) -> dict[str, Any]:
    """The live cards of the store; with `suggestion_id` (may be repeated) only those that fit one of them."""
    store_id = acting_store(caller, request.args.get("store_id"))
    wanted = request.args.getlist("suggestion_id")
    if len(wanted) > MOST:
        raise InputError(f"{len(wanted)} suggestions", where="suggestion_id", what_to_do=f"name {MOST} at most")
    session = reading()
    live = cards(session, store_id=store_id, states=(LIVE,))
    fits = fitting(session, live, wanted) if wanted else {}
    return {
        "cards": [
            {name: getattr(card, name) for name in CardDocument.model_fields if name != "suggestion_ids"}
            | {"suggestion_ids": fits.get(card.card_id, [])}
            for card in live
            if not wanted or card.card_id in fits
        ]
    }


@blueprint.put("/<card_id>/uses/<use_id>")
@blueprint.output(UseDocument, status_code=201)
@blueprint.doc(
    operation_id="useKnowHowCard",
    security=["machine", "tablet"],
    responses=answers({200: ("kept before", "UseDocument"), 404: "no such card", 409: "other content"}),
)
@requires("outcomes", person=False)
@blueprint.input(UseBody, arg_name="body")
def put_use(caller: Caller, card_id: str, use_id: str, body: UseBody) -> tuple[dict[str, Any], int]:
    """Keep that a card was seen or tried, under an id made by the client; the same again changes nothing."""
    store_id, _ = place(caller, body.store_id, None)
    with writing() as session:
        use, added = record_use(
            session,
            parsed_uuid(use_id, "use_id"),
            card_id=card_id,
            clerk_id=author(session, caller, body.clerk_id).clerk_id,
            store_id=store_id,
            kind=body.kind,
            suggestion_id=body.suggestion_id,
            used_at=body.used_at or request_time(),
        )
        document = {name: getattr(use, name) for name in UseDocument.model_fields}
    return document, 201 if added else 200
