"""Writing down what a customer allows or takes back at the counter."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.authors import author
from clerk_ui.counter.consent import may_profile
from clerk_ui.counter.customer_documents import Consent
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, Id
from clerk_ui.openapi import answers
from journey.consents import record_consent
from journey.customer_search import current_customer

blueprint = APIBlueprint("consents", __name__, tag="Customers", url_prefix="/api/customers")


class ConsentBody(Body):
    """Answers as given; one that is left out stays as it was."""

    profiling: bool | None = None
    contact: bool | None = None
    clerk_id: Id | None = Field(None, description="who was told; default: who is signed in")


@blueprint.put("/<customer_id>/consent")
@blueprint.output(Consent)
@blueprint.doc(operation_id="putConsent", security="tablet", responses=answers({404: "no such customer"}))
@requires(person=False)
@blueprint.input(ConsentBody, arg_name="body")
def put_consent(caller: Caller, customer_id: str, body: ConsentBody) -> dict[str, Any]:
    """Write down what the customer allows; the next suggestions heed it. The same again changes nothing."""
    with writing() as session:
        customer = current_customer(session, customer_id)
        changed = record_consent(
            session,
            customer,
            profiling=body.profiling,
            contact=body.contact,
            actor=f"clerk:{author(session, caller, body.clerk_id).clerk_id}",
            now=request_time(),
        )
        one_id = customer.customer_id
        document = {
            "profiling": customer.consent_profiling,
            "contact": customer.consent_contact,
            "may_profile": may_profile(customer.consent_profiling),
        }
    if changed:
        recommendations.tell_change([one_id], now=request_time())
    return document
