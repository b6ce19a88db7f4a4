"""The week on one sheet of paper: staffing and the team, for the hand-over and the back room's wall."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from apiflask import APIBlueprint
from flask import Response, render_template, request
from sqlalchemy.orm import Session

from analytics import staff_success
from analytics.forecast import country_of
from analytics.staffing.coming_days import coming_days
from analytics.staffing.heat_map import grid, heat_map, hours_of
from analytics.staffing.recurring import recurring
from analytics.staffing.rolled_up import coming_slots, past_slots
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading
from clerk_ui.management import csv_file, frame
from clerk_ui.store.asked import AskedStore, asked_store, audit
from journey.know_how_cards import LIVE, cards
from journey.rollups import last_run
from journey.staffing_slots import ForecastWeek, staffing_store
from journey.stores import clerk_names

blueprint = APIBlueprint("week", "clerk_ui.store", enable_openapi=False)
SLOTS = (
    "starts_at", "source", "arrivals", "expected", "receipts", "needed", "rostered", "p_short", "judgement",
    "lost_proposals_low", "lost_proposals_high", "lost_sales_low", "lost_sales_high",
)  # fmt: skip
WEEK = timedelta(days=7)
TEAM_DAYS = 28
TALK_LINES = 4  # what a team can keep in mind for a week, and a sheet of paper has room for


@blueprint.get("/store/week")
@require_role("manager", "coe")
def page() -> str:
    """A Monday to Sunday; the last whole one known unless another is asked for."""
    asked = asked_store()
    session = reading()
    state = staffing_store(session, asked.store.store_id)
    monday = _monday(state.last_day if state else asked.today)
    sunday = monday + timedelta(days=6)
    slots = past_slots(session, asked.store.store_id, start=monday, end=sunday)
    before = past_slots(session, asked.store.store_id, start=monday - timedelta(days=49), end=sunday)
    found = heat_map(slots)
    people = team(session, asked)
    shown = render_template(
        "store/week.html",
        **frame("staffing"),
        asked=asked,
        state=state,
        monday=monday,
        sunday=sunday,
        earlier=monday - WEEK,
        later=monday + WEEK if state and monday + timedelta(days=13) <= state.last_day else None,
        found=found,
        arrivals=float(slots["arrivals"].sum()),
        receipts=int(slots["receipts"].sum()),
        before=_before(slots, before.filter(pl.col("day").is_between(monday - WEEK, sunday - WEEK))),
        lines=cards(session, store_id=asked.store.store_id, states=(LIVE,))[:TALK_LINES],
        rostered=any(cell["rostered"] is not None for cell in found.cells),
        week=grid(found.cells),
        hours=hours_of(found.cells),
        worst=recurring(before)[:3] if not before.is_empty() else [],
        accuracy=session.get(ForecastWeek, (asked.store.store_id, monday)),
        ahead=coming_days(coming_slots(session, asked.store.store_id), country_of(str(asked.tz)))[:7],
        people=people,
        team_days=TEAM_DAYS,
    )
    audit("staff.viewed", asked.store.store_id)
    return shown


@blueprint.get("/store/staffing/week.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The quarter hours of the week, as a file."""
    asked = asked_store()
    state = staffing_store(reading(), asked.store.store_id)
    monday = _monday(state.last_day if state else asked.today)
    slots = past_slots(reading(), asked.store.store_id, start=monday, end=monday + timedelta(days=6))
    return csv_file(f"week-{asked.store.store_id}-{monday}", SLOTS, slots.to_dicts())


def team(session: Session, asked: AskedStore) -> list[dict[str, Any]]:
    """The team's rows of the staff report of the last four weeks, by name; empty before the first roll-up."""
    run = last_run(session, "staff")
    if run is None:
        return []
    start, end = staff_success.usual_span(TEAM_DAYS, run.through)
    rows = staff_success.report(session, store=asked.store.store_id, start=start, end=end)["clerks"]
    names = clerk_names(session, store_id=asked.store.store_id)
    named = [row | {"name": names.get(row["clerk_id"], row["clerk_id"])} for row in rows]
    return sorted(named, key=lambda row: (row["name"], row["clerk_id"]))


def _before(week: pl.DataFrame, earlier: pl.DataFrame) -> float | None:
    """Everybody who came in the *earlier* week; None where it was not counted on the same weekdays."""
    days, known = (set(slots["day"].dt.weekday()) for slots in (week, earlier))
    return float(earlier["arrivals"].sum()) if days and days == known else None


def _monday(last_day: date) -> date:
    """The Monday of the week asked for, else of the last week that is whole."""
    wanted = request.args.get("week", "")
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        day = last_day - timedelta(days=6)
    return day - timedelta(days=day.weekday())
