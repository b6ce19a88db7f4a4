"""Linking an identifier to a customer: the shop's server after a log-in, a clerk after scanning an app code."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, Document, Id
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.errors import Conflict, NotAllowed
from journey.identity import owner
from journey.identity_review import note_claim
from journey.one_id import link

blueprint = APIBlueprint("links", __name__, tag="One ID", url_prefix="/api")
AT_THE_COUNTER = ("card", "app")  # what a clerk can hold in hand


class LinkBody(Body):
    """Who has said by log-in, or shown at the counter, that this identifier is theirs."""

    kind: Literal["card", "app", "cookie", "ec_account", "email_hash", "phone_hash"]
    value: Id
    customer_id: Id


class LinkDocument(Document):
    """A link in force."""

    kind: str
    customer_id: str
    facts: int = Field(description="how many events and receipts, anonymous until now, became the customer's")


@blueprint.post("/links")
@blueprint.output(LinkDocument, status_code=201)
@blueprint.doc(
    operation_id="linkIdentifier",
    security=["machine", "tablet"],
    responses=answers(
        {
            200: ("the link was there already", "LinkDocument"),
            404: "no such customer",
            409: "it leads to another customer; nothing is moved, and the CoE is shown both",
        }
    ),
)
@requires("links")
@blueprint.input(LinkBody, arg_name="body")
def post_link(caller: Caller, body: LinkBody) -> tuple[dict[str, Any], int]:
    """Link an identifier; what was anonymous under it becomes the customer's, and suggestions know it at once."""
    if caller.tablet is not None and body.kind not in AT_THE_COUNTER:
        raise NotAllowed(
            "a tablet links cards and app codes only", where="json.kind", what_to_do="let the shop's server send it"
        )
    customer_id, facts, known = link_or_claim(body.kind, body.value, body.customer_id, actor=caller.actor)
    return {"kind": body.kind, "customer_id": customer_id, "facts": facts}, 200 if known else 201


def link_or_claim(kind: str, value: str, customer_id: str, *, actor: str) -> tuple[str, int, bool]:
    """Link an identifier; returns the One ID, how many facts moved, and whether the link was there already.

    Raises:
        NotFound: no such customer.
        Conflict: it leads to somebody else; that both were named under it is kept for the CoE to look at.
    """
    now = request_time()
    try:
        with writing() as session:
            one_id = current_customer(session, customer_id).customer_id
            known = owner(session, kind, value) == one_id
            facts = link(session, kind, value, one_id, actor=actor, now=now)
    except Conflict:
        with writing() as session:
            note_claim(session, kind, value, one_id, now=now)
        raise
    if not known:
        recommendations.tell_identity([one_id])
    return one_id, facts, known
