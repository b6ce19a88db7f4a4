"""Coupons for the systems of other channels: what a customer holds, granting, redeeming at a till or on the web."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.customer_documents import CouponDocument
from clerk_ui.counter.redemptions import RedemptionBody, RedemptionDocument, redeem_for
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.field_types import Body, ClientUuid, Document, Id
from clerk_ui.openapi import answers
from journey.coupon_grants import grant
from journey.customer_cards import open_coupons
from journey.customer_search import current_customer, one_id

blueprint = APIBlueprint("coupons", __name__, tag="Coupons", url_prefix="/api")


class GrantBody(Body):
    """Into whose hands, and on which channel it happened."""

    customer_id: Id
    channel: Literal["store", "ec", "app"] = "store"


class GrantDocument(Document):
    """A coupon in a customer's hands."""

    coupon_id: str
    customer_id: str
    granted_at: datetime
    channel: str | None
    redeemed_at: datetime | None


class OpenCoupons(Document):
    """What can be redeemed now, those that end first at the head; each tells where it was granted."""

    coupons: list[CouponDocument]


class NamedRedemptionBody(RedemptionBody):
    """One redemption with the id that makes it safe to send again."""

    redemption_id: ClientUuid = Field()


@blueprint.get("/customers/<customer_id>/coupons")
@blueprint.output(OpenCoupons)
@blueprint.doc(operation_id="listCoupons", security="machine", responses=answers({404: "no such customer"}))
@requires("coupons")
def list_coupons(caller: Caller, customer_id: str) -> dict[str, Any]:
    """The coupons that a customer holds and may use now, wherever they were granted."""
    found = open_coupons(reading(), one_id(reading(), customer_id), now=request_time())
    return {"coupons": [asdict(one) for one in found]}


@blueprint.post("/coupons/<coupon_id>/grants")
@blueprint.output(GrantDocument, status_code=201)
@blueprint.doc(
    operation_id="grantCoupon",
    security="machine",
    responses=answers(
        {
            200: ("the customer holds it already", "GrantDocument"),
            404: "no such coupon or customer",
            422: "the coupon is over",
        }
    ),
)
@requires("coupons")
@blueprint.input(GrantBody, arg_name="body")
def post_grant(caller: Caller, coupon_id: str, body: GrantBody) -> tuple[dict[str, Any], int]:
    """Put a coupon into a customer's hands, once, however often it is sent. It can be used on all its channels."""
    with writing() as session:
        customer_id = current_customer(session, body.customer_id).customer_id
        given, made = grant(session, coupon_id, customer_id, channel=body.channel, now=request_time())
        document = {
            "coupon_id": given.coupon_id,
            "customer_id": given.customer_id,
            "granted_at": given.granted_at,
            "channel": given.channel,
            "redeemed_at": given.redeemed_at,
        }
    return document, 201 if made else 200


@blueprint.post("/coupons/<coupon_id>/redemptions")
@blueprint.output(RedemptionDocument, status_code=201)
@blueprint.doc(
    operation_id="addRedemption",
    security="machine",
    responses=answers(
        {
            200: ("this same redemption was recorded before", "RedemptionDocument"),
            404: "no such coupon or customer, or not granted to this one",
            409: "redeemed before by another redemption",
            422: "not valid now, or not on this channel",
        }
    ),
)
@requires("coupons")
@blueprint.input(NamedRedemptionBody, arg_name="body")
def post_redemption(caller: Caller, coupon_id: str, body: NamedRedemptionBody) -> tuple[dict[str, Any], int]:
    """Redeem at a till, in the web shop or the app; the tablet uses `PUT …/redemption`, and of all only one wins."""
    return redeem_for(caller, coupon_id, body)
