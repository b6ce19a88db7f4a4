"""The tablet's side of becoming a member: show a code, and hear when the customer is there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import request, url_for

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.field_types import Document
from clerk_ui.joining.drawn_codes import qr
from clerk_ui.openapi import answers
from journey.member_invitations import MemberInvitation, invitation, invite

blueprint = APIBlueprint("invitations", __name__, tag="Customers", url_prefix="/api/invitations")
INVITATIONS = RateLimit(30, 600)


class InvitationState(Document):
    """How far the customer is; ``customer_id`` once they have joined."""

    invitation_id: str
    state: Literal["waiting", "opened", "joined", "expired"]
    expires_at: datetime
    customer_id: str | None


class DrawnDocument(Document):
    """A code as the path of an SVG whose view box is ``width`` × ``height``, quiet zone included."""

    width: int
    height: int
    path: str


class NewInvitation(InvitationState):
    """An invitation as made: the address, which is a secret that works once, and its QR code."""

    url: str
    qr: DrawnDocument


@blueprint.post("")
@blueprint.output(NewInvitation, status_code=201)
@blueprint.doc(operation_id="inviteMember", security="tablet", responses=answers({429: "too many codes"}))
@requires()
def make(caller: Caller) -> dict[str, Any]:
    """A code for the phone of somebody who wants to become a member here; it works once, for fifteen minutes."""
    assert caller.tablet is not None
    assert caller.person is not None
    limit_attempts(INVITATIONS, caller.tablet.device_id)
    with writing() as session:
        made, token = invite(
            session,
            store_id=caller.tablet.store_id,
            clerk_id=caller.person.clerk_id,
            device_id=caller.tablet.device_id,
            now=request_time(),
        )
        document = _document(made)
    base = (settings().web.public_url or request.url_root).rstrip("/")
    url = base + url_for("joining.form", token=token)
    return document | {"url": url, "qr": vars(qr(url))}


@blueprint.get("/<invitation_id>")
@blueprint.output(InvitationState)
@blueprint.doc(operation_id="getInvitation", security="tablet", responses=answers({404: "no such invitation here"}))
@requires()
def get(caller: Caller, invitation_id: str) -> dict[str, Any]:
    """How far the customer is."""
    assert caller.tablet is not None
    return _document(invitation(reading(), invitation_id, store_id=caller.tablet.store_id))


def _document(found: MemberInvitation) -> dict[str, Any]:
    return {
        "invitation_id": found.invitation_id,
        "state": found.state(request_time()),
        "expires_at": found.expires_at,
        "customer_id": found.customer_id,
    }
