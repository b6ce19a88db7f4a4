"""Offers besides products (ご案内): shown on the customer's card, answered with one tap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.authors import author, sender_clock
from clerk_ui.counter.consent import may_profile
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, Document, Id, Moment
from clerk_ui.languages import current_language
from clerk_ui.metrics import OFFERS
from clerk_ui.openapi import answers
from journey.customers import Customer
from journey.local_days import local_date, store_zone
from journey.offers import answer, record_shown
from journey.tablet_clock import true_moment
from recommender.offers import Proposed, offers_for

blueprint = APIBlueprint("offers", __name__, tag="Offers", url_prefix="/api/offers")


class OfferAnswer(Body):
    """What came of an offer; ``open`` takes an answer back."""

    result: Literal["accepted", "declined", "open"]
    clerk_id: Id | None = Field(None, description="whose tap it is; default: who is signed in")
    occurred_at: Moment | None = Field(None, description="by the sender's clock; default: now")


class AnsweredOffer(Document):
    """An offer as recorded."""

    offer_id: str
    customer_id: str
    store_id: str
    kind: str
    subject: str
    shown_at: datetime
    result: str | None
    answered_at: datetime | None
    answered_by: str | None


@blueprint.put("/<offer_id>")
@blueprint.output(AnsweredOffer)
@blueprint.doc(operation_id="answerOffer", security=["machine", "tablet"], responses=answers({404: "no such offer"}))
@requires("outcomes", person=False)
@blueprint.input(OfferAnswer, arg_name="body")
def put_answer(caller: Caller, offer_id: str, body: OfferAnswer) -> dict[str, Any]:
    """Record what came of an offer. The same again changes nothing; the later of two different answers counts."""
    now = request_time()
    result = None if body.result == "open" else body.result
    with writing() as session:
        offer = answer(
            session,
            offer_id,
            result=result,
            clerk_id=author(session, caller, body.clerk_id).clerk_id,
            at=true_moment(body.occurred_at or now, received_at=now, sent_at=sender_clock()),
            store_id=caller.tablet.store_id if caller.tablet else None,
        )
        document = {name: getattr(offer, name) for name in AnsweredOffer.model_fields}
    OFFERS.labels(document["kind"], body.result).inc()
    return document


@dataclass(frozen=True)
class Made:
    """An offer on the card, and the row that records it as shown."""

    proposed: Proposed
    row: dict[str, Any]


def offers_to_make(session: Session, caller: Caller, customer: Customer, store_id: str | None) -> list[Made]:
    """What to offer this customer in the store, best first; nothing where no store is known."""
    if store_id is None:
        return []
    now, clerk_id = request_time(), caller.person.clerk_id if caller.person else None
    tz = store_zone(session, store_id, settings().chain.timezone)
    proposed = offers_for(
        session,
        customer,
        store_id,
        now=now,
        tz=tz,
        may_profile=may_profile(customer.consent_profiling),
        language=current_language(),
    )
    return [
        Made(
            one,
            {
                "offer_id": one.offer_id(customer.customer_id, store_id, clerk_id, local_date(now, tz)),
                "customer_id": customer.customer_id,
                "customer_ref": customer.customer_id,
                "store_id": store_id,
                "clerk_id": clerk_id,
                "device_id": caller.tablet.device_id if caller.tablet else None,
                "shown_at": now,
                "kind": one.kind,
                "subject": one.subject,
                "rank": rank,
                "usefulness": one.usefulness,
            },
        )
        for rank, one in enumerate(proposed, start=1)
    ]


def offer_document(made: Made) -> dict[str, Any]:
    """An offer as sent."""
    one = made.proposed
    return {
        "offer_id": made.row["offer_id"],
        "kind": one.kind,
        "subject": one.subject,
        **vars(one.text),
        "until": one.until,
        "usefulness": one.usefulness,
    }


def note_shown(session: Session, offers: Sequence[Made]) -> None:
    """Write down that these offers were shown."""
    record_shown(session, [made.row for made in offers])
    for made in offers:
        OFFERS.labels(made.proposed.kind, "shown").inc()
