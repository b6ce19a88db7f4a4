"""The staffing page: when were there too few people on the floor, when too many, and what did that lose?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from analytics.staffing.conversion import conversion_by_ratio
from analytics.staffing.heat_map import grid, heat_map, hours_of
from analytics.staffing.recurring import recurring
from analytics.staffing.rolled_up import LOST, law_of, past_slots
from clerk_ui.auth.requirements import require_role
from clerk_ui.background import start_command
from clerk_ui.database_sessions import reading
from clerk_ui.management import csv_file, frame
from clerk_ui.security import require_form_token
from clerk_ui.store.asked import AskedStore, asked_store
from journey.staffing_slots import StaffingStore, staffing_store

blueprint = APIBlueprint("staffing", "clerk_ui.store", enable_openapi=False)
WEEKS = (4, 8, 13)
CELLS = ("weekday", "slot", "weeks", "arrivals", "needed", "rostered", "p_short", "p_over", "judgement", *LOST)
ROWS = (
    "starts_at", "source", "arrivals", "expected", "receipts", "needed", "rostered", "p_short", "p_over", "judgement",
    *LOST,
)  # fmt: skip


@blueprint.get("/store/staffing")
@require_role("manager", "coe")
def page() -> str:
    """The heat map with its sentence, and conversion by shoppers per clerk."""
    asked, weeks = asked_store(), _weeks()
    state = staffing_store(reading(), asked.store.store_id)
    slots = _slots(asked, state, weeks)
    found = heat_map(slots)
    plan = recurring(slots) if slots.height else []
    return render_template(
        "store/staffing.html",
        **frame("staffing"),
        asked=asked,
        weeks=weeks,
        spans=WEEKS,
        state=state,
        law=law_of(state) if state else None,
        found=found,
        week=grid(found.cells),
        hours=hours_of(found.cells),
        worst=plan[:5],
        rostered=any(cell["rostered"] is not None for cell in found.cells),
        inferred=slots["source"][0] if slots.height and slots["source"][0] != "counter" else None,
        conversion=conversion_by_ratio(slots) if slots.height else [],
    )


@blueprint.post("/store/staffing/rollup")
@require_role("manager", "coe")
def roll_up() -> AnyResponse:
    """Have the roll-ups made now; they are made for the whole chain, beside the server."""
    require_form_token()
    asked = asked_store()
    start_command("rollup", "staffing")
    return redirect(f"/store/staffing?store={asked.store.store_id}&started=1", 303)


@blueprint.get("/store/staffing.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The cells of the heat map as a file."""
    asked, weeks = asked_store(), _weeks()
    cells = heat_map(_slots(asked, staffing_store(reading(), asked.store.store_id), weeks)).cells
    return csv_file(f"staffing-{asked.store.store_id}", CELLS, cells)


@blueprint.get("/store/staffing/rows")
@require_role("manager", "coe")
def rows() -> str:
    """The quarter hours behind an hour of a weekday."""
    asked, weeks = asked_store(), _weeks()
    weekday, hour = _hour()
    slots = _of_hour(_slots(asked, staffing_store(reading(), asked.store.store_id), weeks), weekday, hour)
    return render_template(
        "store/staffing_rows.html",
        **frame("staffing"),
        asked=asked,
        weeks=weeks,
        weekday=weekday,
        hour=hour,
        rows=slots.reverse().to_dicts(),
        short=sum(row["judgement"] == "short" for row in slots.to_dicts()),
        totals={name: sum(row[name] or 0.0 for row in slots.to_dicts()) for name in LOST},
    )


@blueprint.get("/store/staffing/rows.csv")
@require_role("manager", "coe")
def rows_download() -> Response:
    """The same rows as a file; all hours where none is asked for."""
    asked, weeks = asked_store(), _weeks()
    slots = _slots(asked, staffing_store(reading(), asked.store.store_id), weeks)
    if "hour" in request.args:
        slots = _of_hour(slots, *_hour())
    return csv_file(f"staffing-rows-{asked.store.store_id}", ROWS, slots.to_dicts())


def _slots(asked: AskedStore, state: StaffingStore | None, weeks: int) -> pl.DataFrame:
    """The judged slots of the last weeks known, whole weeks back from the last day."""
    if state is None:
        return pl.DataFrame()
    start = state.last_day - timedelta(days=7 * weeks - 1)
    return past_slots(reading(), asked.store.store_id, start=start, end=state.last_day)


def _of_hour(slots: pl.DataFrame, weekday: int, hour: int) -> pl.DataFrame:
    if slots.is_empty():
        return slots
    return slots.filter((pl.col("day").dt.weekday() == weekday + 1) & (pl.col("slot") // 4 == hour))


def _weeks() -> int:
    weeks: Any = request.args.get("weeks", WEEKS[1], type=int)
    return int(weeks) if weeks in WEEKS else WEEKS[1]


def _hour() -> tuple[int, int]:
    weekday: Any = request.args.get("weekday", 0, type=int)
    hour: Any = request.args.get("hour", 0, type=int)
    return min(max(int(weekday), 0), 6), min(max(int(hour), 0), 23)
