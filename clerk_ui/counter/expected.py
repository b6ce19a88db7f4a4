"""Who is in the store or expected there today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, current_app

from clerk_ui import recommendations
from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.fading_memory import FadingMemory
from clerk_ui.field_types import Document
from journey.arrivals import Expected, expected
from journey.follow_ups import due_follow_ups
from journey.local_days import day_bounds, local_date, store_zone

KEY = "osusume.ahead"
AT_ONCE = 3
READY_SECONDS = 540  # a little less than what is made ahead lives

blueprint = APIBlueprint("expected", __name__, tag="Customers", url_prefix="/api/expected")


def init_app(app: Flask) -> None:
    """Remember for whom this worker has made suggestions ahead."""
    app.extensions[KEY] = FadingMemory[tuple[str, str], bool](seconds=READY_SECONDS)


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
    """Those who are here come first, those already attended to last. ``follow_ups`` are the signed-in clerk's own that
    are due today or were due before.
    """

    expected: list[ExpectedDocument]
    follow_ups: int


class MadeAhead(Document):
    """For how many customers suggestions were made ahead just now."""

    made: int


@blueprint.get("")
@blueprint.output(ExpectedList)
@blueprint.doc(operation_id="listExpected", security="tablet")
@requires()
def list_expected(caller: Caller) -> dict[str, Any]:
    """Check-ins, appointments and orders to collect today in the tablet's store."""
    assert caller.tablet is not None
    assert caller.person is not None
    session, store_id, clerk_id = reading(), caller.tablet.store_id, caller.person.clerk_id
    today = local_date(request_time(), store_zone(session, store_id, settings().chain.timezone))
    due = due_follow_ups(session, store_id=store_id, clerk_id=clerk_id, until=today) if clerk_id else []
    return {"expected": [vars(one) for one in expected_today(store_id)], "follow_ups": len(due)}


@blueprint.post("/suggestions")
@blueprint.output(MadeAhead)
@blueprint.doc(operation_id="prepareSuggestions", security="tablet")
@requires()
def prepare(caller: Caller) -> dict[str, Any]:
    """Make suggestions ahead for those who are next and have none yet, so that the scan finds them ready.

    A few at a time, each once in some minutes; who waits longest in the list comes with a later call.
    """
    assert caller.tablet is not None
    store_id = caller.tablet.store_id
    ready: FadingMemory[tuple[str, str], bool] = current_app.extensions[KEY]
    waiting = dict.fromkeys(one.customer_id for one in expected_today(store_id) if not one.attended)
    chosen = [customer_id for customer_id in waiting if not ready.get((store_id, customer_id))][:AT_ONCE]
    for customer_id in chosen:
        ready.put((store_id, customer_id), True)
        recommendations.make_ahead(reading(), store_id, customer_id, now=request_time())
    return {"made": len(chosen)}


def expected_today(store_id: str) -> list[Expected]:
    """Who is here or expected until the end of the store's day."""
    session, now = reading(), request_time()
    tz = store_zone(session, store_id, settings().chain.timezone)
    _, day_ends = day_bounds(local_date(now, tz), tz)
    return expected(session, store_id, now=now, day_ends=day_ends)
