"""Who is in the store or expected there today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.field_types import Document
from journey.arrivals import expected
from journey.local_days import day_bounds, local_date, store_zone

blueprint = APIBlueprint("expected", __name__, tag="Customers", url_prefix="/api/expected")


class ExpectedDocument(Document):
    """Somebody to attend to; ``source`` is checkin, appointment or order."""

    source: str
    at: datetime | None
    customer_id: str
    name: str | None
    kana: str | None
    tier: str | None
    attended: bool
    order_id: str | None
    status: str | None


class ExpectedList(Document):
    """Those who are here come first, those already attended to last."""

    expected: list[ExpectedDocument]


@blueprint.get("")
@blueprint.output(ExpectedList)
@blueprint.doc(operation_id="listExpected", security="tablet")
@requires()
def list_expected(caller: Caller) -> dict[str, Any]:
    """Check-ins, appointments and orders to collect today in the tablet's store."""
    assert caller.tablet is not None
    session, now, store_id = reading(), request_time(), caller.tablet.store_id
    tz = store_zone(session, store_id, settings().chain.timezone)
    _, day_ends = day_bounds(local_date(now, tz), tz)
    return {"expected": [vars(one) for one in expected(session, store_id, now=now, day_ends=day_ends)]}
