"""«Not for this customer»."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.authors import author
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, ClientUuid, Document, Id, Line, Moment
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.dismissals import dismiss
from journey.shelf import product

blueprint = APIBlueprint("dismissals", __name__, tag="Outcomes", url_prefix="/api/dismissals")


class DismissalBody(Body):
    """A product that is not for this customer, under an id made by the client."""

    dismissal_id: ClientUuid
    customer_id: Id
    product_id: Id
    clerk_id: Id | None = Field(None, description="its author; default: who is signed in")
    why: Line | None = None
    until: Moment | None = Field(None, description="when it runs out; default: never")


class DismissalDocument(Document):
    """A dismissal as kept."""

    dismissal_id: str
    customer_id: str
    product_id: str
    clerk_id: str
    why: str | None
    dismissed_at: datetime
    until: datetime | None


@blueprint.post("")
@blueprint.output(DismissalDocument, status_code=201)
@blueprint.doc(
    operation_id="dismiss",
    security=["machine", "tablet"],
    responses=answers(
        {200: ("kept before", "DismissalDocument"), 404: "no such customer or product", 409: "other content"}
    ),
)
@requires("outcomes", person=False)
@blueprint.input(DismissalBody, arg_name="body")
def post_dismissal(caller: Caller, body: DismissalBody) -> tuple[dict[str, Any], int]:
    """Keep a dismissal; the customer's next set of suggestions honours it. The same again changes nothing."""
    with writing() as session:
        customer = current_customer(session, body.customer_id)
        dismissal, added = dismiss(
            session,
            dismissal_id=body.dismissal_id,
            customer_id=customer.customer_id,
            product_id=product(session, body.product_id).product_id,
            clerk_id=author(session, caller, body.clerk_id).clerk_id,
            why=body.why,
            until=body.until,
            now=request_time(),
        )
        document = {name: getattr(dismissal, name) for name in DismissalDocument.model_fields}
    recommendations.tell_change([document["customer_id"]], now=request_time())
    return document, 201 if added else 200
