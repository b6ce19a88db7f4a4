"""Redeeming a coupon at the counter or the till."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store, requires
from clerk_ui.counter.authors import author, sender_clock
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.field_types import Body, ClientUuid, Document, Id, Moment
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.redemptions import Redemption, redeem
from journey.tablet_clock import true_moment

blueprint = APIBlueprint("redemptions", __name__, tag="Coupons", url_prefix="/api/coupons")
# so that a tablet that sends no id of its own can still send the same redemption twice
NAMES = uuid.UUID("5f9a4b0e-6d0c-4d7c-9a52-0c3f6f0f4f5e")


class RedemptionBody(Body):
    """One redemption. Without ``redemption_id`` the same sender, customer and time are the same redemption."""

    customer_id: Id
    redeemed_at: Moment | None = Field(None, description="default: now")
    redemption_id: ClientUuid | None = None
    clerk_id: Id | None = None
    store_id: Id | None = None
    channel: Literal["store", "ec", "app"] = "store"


class RedemptionDocument(Document):
    """A coupon as redeemed."""

    coupon_id: str
    customer_id: str
    redeemed_at: datetime
    redeemed_channel: str
    redemption_id: str


@blueprint.put("/<coupon_id>/redemption")
@blueprint.output(RedemptionDocument, status_code=201)
@blueprint.doc(
    operation_id="redeemCoupon",
    security=["machine", "tablet"],
    responses=answers(
        {
            200: ("this same redemption was recorded before", "RedemptionDocument"),
            404: "no such coupon or customer, or not granted to this one",
            409: "redeemed before by another redemption",
            422: "not valid now, or not on this channel",
        }
    ),
)
@requires("outcomes", person=False)
@blueprint.input(RedemptionBody, arg_name="body")
def put_redemption(caller: Caller, coupon_id: str, body: RedemptionBody) -> tuple[dict[str, Any], int]:
    """Redeem a customer's coupon once, however many try at the same moment."""
    return redeem_for(caller, coupon_id, body)


def redeem_for(caller: Caller, coupon_id: str, body: RedemptionBody) -> tuple[dict[str, Any], int]:
    """Redeem for whoever asks: the document, and 201 where this call redeemed, 200 where it had been done before."""
    now = request_time()
    at = body.redeemed_at or now
    with writing() as session:
        customer_id = current_customer(session, body.customer_id).customer_id
        by = author(session, caller, body.clerk_id).clerk_id if caller.tablet or body.clerk_id else caller.actor
        store_id = acting_store(caller, body.store_id)
        sender = caller.tablet.device_id if caller.tablet else caller.actor
        made = uuid.uuid5(NAMES, "|".join((sender, coupon_id, customer_id, at.isoformat())))
        grant, redeemed = redeem(
            session,
            Redemption(
                redemption_id=body.redemption_id or str(made),
                coupon_id=coupon_id,
                customer_id=customer_id,
                redeemed_at=true_moment(at, received_at=now, sent_at=sender_clock()),
                channel=body.channel,
                store_id=store_id,
                by=by,
            ),
        )
        document = {
            "coupon_id": grant.coupon_id,
            "customer_id": grant.customer_id,
            "redeemed_at": grant.redeemed_at,
            "redeemed_channel": grant.redeemed_channel,
            "redemption_id": grant.redemption_id,
        }
    return document, 201 if redeemed else 200
