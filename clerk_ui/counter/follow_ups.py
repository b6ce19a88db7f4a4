"""Dates on which to come back to a customer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.authors import author
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, Document, Id, Text, parsed_uuid
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.follow_ups import finish_follow_up, keep_follow_up

blueprint = APIBlueprint("follow_ups", __name__, tag="Outcomes", url_prefix="/api/follow-ups")


class FollowUpBody(Body):
    """A follow-up as it should be; sending it again moves, rewords or finishes it."""

    customer_id: Id
    due_on: date = Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))
    suggestion_id: Id | None = None
    text: Text | None = None
    clerk_id: Id | None = Field(None, description="whose it is; default: who is signed in")
    done: bool = False


class FollowUpDocument(Document):
    """A follow-up as kept."""

    follow_up_id: str
    customer_id: str
    store_id: str
    clerk_id: str
    suggestion_id: str | None
    due_on: date
    text: str | None
    created_at: datetime
    done_at: datetime | None


@blueprint.put("/<follow_up_id>")
@blueprint.output(FollowUpDocument, status_code=201)
@blueprint.doc(
    operation_id="putFollowUp",
    security="tablet",
    responses=answers({200: ("was there; now as sent", "FollowUpDocument"), 404: "no such customer"}),
)
@requires(person=False)
@blueprint.input(FollowUpBody, arg_name="body")
def put_follow_up(caller: Caller, follow_up_id: str, body: FollowUpBody) -> tuple[dict[str, Any], int]:
    """Make a follow-up under an id made by the client (a UUID), or move, reword or finish it."""
    assert caller.tablet is not None
    with writing() as session:
        customer = current_customer(session, body.customer_id)
        task, added = keep_follow_up(
            session,
            follow_up_id=parsed_uuid(follow_up_id, "follow_up_id"),
            customer_id=customer.customer_id,
            store_id=caller.tablet.store_id,
            clerk_id=author(session, caller, body.clerk_id).clerk_id,
            due_on=body.due_on,
            suggestion_id=body.suggestion_id,
            text=body.text,
            done=body.done,
            now=request_time(),
        )
        document = {name: getattr(task, name) for name in FollowUpDocument.model_fields}
    return document, 201 if added else 200


@blueprint.post("/<follow_up_id>/done")
@blueprint.output(FollowUpDocument)
@blueprint.doc(operation_id="finishFollowUp", security="tablet", responses=answers({404: "no such follow-up"}))
@requires(person=False)
def finish(caller: Caller, follow_up_id: str) -> dict[str, Any]:
    """Mark a follow-up as done; twice is the same as once."""
    assert caller.tablet is not None
    with writing() as session:
        task = finish_follow_up(
            session, parsed_uuid(follow_up_id, "follow_up_id"), store_id=caller.tablet.store_id, now=request_time()
        )
        return {name: getattr(task, name) for name in FollowUpDocument.model_fields}
