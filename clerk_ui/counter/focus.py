"""Focus merchandise on the tablet: the store's campaigns, and to which of today's customers to propose them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.field_types import Document
from clerk_ui.focus_results import KIND
from clerk_ui.focus_words import campaigns_of
from journey.analysis_results import stored_result

blueprint = APIBlueprint("focus", __name__, tag="My day", url_prefix="/api/focus")
AT_MOST = 10


class FocusCustomer(Document):
    """Somebody to propose to; ``today`` is checkin, appointment, order or empty, ``likely``: due to come."""

    customer_id: str
    name: str | None
    today: str
    likely: bool
    product_id: str
    product: str
    reason: str
    talk: str
    better_left: bool


class FocusCampaign(Document):
    """A campaign with the customers worth proposing to, those here today first; ``basis`` says what orders them."""

    campaign_id: str
    name: str
    ends_on: date
    basis: str
    customers: list[FocusCustomer]


class FocusLists(Document):
    """All campaigns of the store; ``made_at`` is empty where no lists were made yet."""

    made_at: datetime | None
    campaigns: list[FocusCampaign]


@blueprint.get("")
@blueprint.output(FocusLists)
@blueprint.doc(operation_id="listFocus", security="tablet")
@requires()
def list_focus(caller: Caller) -> dict[str, Any]:
    """The focus lists of the tablet's store, at most ten customers of each campaign."""
    assert caller.tablet is not None
    session, store_id = reading(), caller.tablet.store_id
    kept = stored_result(session, KIND, {"store": store_id})
    campaigns = campaigns_of(session, kept, store_id, now=request_time())
    return {
        "made_at": kept.computed_at if kept else None,
        "campaigns": [
            campaign | {"ends_on": campaign["last"], "customers": campaign["rows"][:AT_MOST]} for campaign in campaigns
        ],
    }
