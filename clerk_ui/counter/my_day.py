"""A clerk's own day; nobody sees anybody else's here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.field_types import Document
from journey.clerk_days import confirmed_without_tap, figures, focus_merchandise, own_outcomes
from journey.errors import InputError
from journey.follow_ups import due_follow_ups
from journey.local_days import day_bounds, local_date, store_zone

blueprint = APIBlueprint("my_day", __name__, tag="My day", url_prefix="/api/me")
SPAN_DAYS = 28


class FiguresDocument(Document):
    """Counts of a span; ``proposed`` is the n of ``accepted`` (by tap) and ``confirmed`` (by the till)."""

    customers: int
    shown: int
    proposed: int
    accepted: int
    considering: int
    declined: int
    confirmed: int


class TaskDocument(Document):
    """A follow-up that is due this week."""

    follow_up_id: str
    customer_id: str
    customer_name: str | None
    suggestion_id: str | None
    due_on: date
    text: str | None


class OwnOutcomeDocument(Document):
    """One of today's own taps."""

    outcome_id: str
    suggestion_id: str
    product_id: str
    product_name: str | None
    result: str
    occurred_at: datetime
    confirmed: bool


class FocusDocument(Document):
    """Focus merchandise of the week."""

    campaign_id: str
    name: str
    product_id: str | None
    product_name: str | None
    category: str | None
    ends_on: date


class MyDay(Document):
    """The signed-in clerk's own day."""

    day: date
    figures: FiguresDocument
    last_28_days: FiguresDocument
    follow_ups: list[TaskDocument]
    outcomes: list[OwnOutcomeDocument]
    without_tap: list[OwnOutcomeDocument] = Field(description="shown today, never tapped, and sold by the till")
    focus: list[FocusDocument]


@blueprint.get("/day")
@blueprint.output(MyDay)
@blueprint.doc(operation_id="getMyDay", security="tablet")
@requires()
def my_day(caller: Caller) -> dict[str, Any]:
    """Own figures of today and of the last 28 days, follow-ups due this week, and this week's focus merchandise."""
    assert caller.tablet is not None
    assert caller.person is not None
    clerk_id, store_id = caller.person.clerk_id, caller.tablet.store_id
    if clerk_id is None:
        raise InputError("this account is no clerk of the record", where="session", what_to_do="give it a clerk id")
    session = reading()
    tz = store_zone(session, store_id, settings().chain.timezone)
    today = local_date(request_time(), tz)
    start, end = day_bounds(today, tz)
    span_start, _ = day_bounds(today - timedelta(days=SPAN_DAYS - 1), tz)
    monday = today - timedelta(days=today.weekday())
    sunday = monday + timedelta(days=6)
    return {
        "day": today,
        "figures": vars(figures(session, clerk_id, start, end)),
        "last_28_days": vars(figures(session, clerk_id, span_start, end)),
        "follow_ups": [
            vars(one) for one in due_follow_ups(session, store_id=store_id, clerk_id=clerk_id, until=sunday)
        ],
        "outcomes": [vars(one) for one in own_outcomes(session, clerk_id, start, end)],
        "without_tap": [vars(one) for one in confirmed_without_tap(session, clerk_id, start, end)],
        "focus": [vars(one) for one in focus_merchandise(session, store_id, monday, sunday)],
    }
