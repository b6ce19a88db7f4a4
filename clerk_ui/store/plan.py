"""The plan page: what comes in the next two weeks, who should work when, and what that changes against the roster."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from apiflask import APIBlueprint
from flask import Response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from analytics.forecast import chance_wape, country_of
from analytics.staffing.coming_days import coming_days
from analytics.staffing.heat_map import hours_of
from analytics.staffing.proposal import PLAN_DAYS
from analytics.staffing.rolled_up import coming_slots
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.background import start_command
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.asked import asked_store
from journey.local_days import store_zone
from journey.shift_plans import STALLED, ShiftPlanRecord, accept_plan, ask_for_plan, find_plan, latest_plan
from journey.staffing_slots import forecast_weeks, staffing_store

blueprint = APIBlueprint("plan", "clerk_ui.store", enable_openapi=False)
FORECAST = ("starts_at", "arrivals", "low", "high", "needed")
SHIFTS = ("clerk_id", "store_id", "starts_at", "ends_at", "duty")


@blueprint.get("/store/plan")
@require_role("manager", "coe")
def page() -> str:
    """Forecast, proposal and comparison."""
    asked = asked_store()
    session = reading()
    state = staffing_store(session, asked.store.store_id)
    coming = coming_slots(session, asked.store.store_id)
    if coming.height:
        coming = coming.filter(pl.col("day") > asked.today).filter(
            pl.col("day") <= asked.today + timedelta(days=PLAN_DAYS)
        )
    plan = latest_plan(session, asked.store.store_id)
    return render_template(
        "store/plan.html",
        **frame("plan"),
        asked=asked,
        state=state,
        days=coming_days(coming, country_of(str(asked.tz))),
        chance=_chance(coming),
        weeks=forecast_weeks(session, asked.store.store_id),
        plan=plan,
        busy=_busy(plan),
        document=plan.document if plan is not None else None,
        gaps=[gap | {"day": date.fromisoformat(gap["day"])} for gap in (plan.document or {}).get("gaps", [])]
        if plan is not None
        else [],
        roster_from=date.fromisoformat(plan.document["roster_from"])
        if plan is not None and plan.document and plan.document["roster_from"]
        else None,
        shown=_by_day(plan) if plan is not None and plan.document else [],
        hours=_hours(plan) if plan is not None and plan.document else [],
    )


def _chance(coming: pl.DataFrame) -> float | None:
    """How far off a perfect forecast would be; by the hour, since a counter may tell no more than hours."""
    if coming.is_empty():
        return None
    hours = coming.group_by("day", pl.col("slot") // 4).agg(pl.col("arrivals").sum())
    return chance_wape(hours["arrivals"].to_numpy())


@blueprint.get("/store/plan/forecast.csv")
@require_role("manager", "coe")
def forecast_download() -> Response:
    """The forecast as a file."""
    asked = asked_store()
    rows = coming_slots(reading(), asked.store.store_id).to_dicts()
    return csv_file(f"forecast-{asked.store.store_id}", FORECAST, rows)


@blueprint.post("/store/plan")
@require_role("manager", "coe")
def ask() -> AnyResponse:
    """Ask for a plan from tomorrow; it is computed beside the server."""
    require_form_token()
    asked = asked_store()
    with writing() as session:
        plan = ask_for_plan(
            session, asked.store.store_id, first_day=asked.today + timedelta(days=1), days=PLAN_DAYS,
            actor=f"account:{signed_in().account_id}", now=request_time(),
        )  # fmt: skip
        fresh = plan.state == "waiting" and plan.asked_at == request_time()
        plan_id = plan.plan_id
    if fresh:
        start_command("plan", "--plan", plan_id)
    return redirect(f"/store/plan?store={asked.store.store_id}#plan", 303)


@blueprint.post("/store/plans/<plan_id>/acceptance")
@require_role("manager", "coe")
def accept(plan_id: str) -> AnyResponse:
    """The manager takes the plan over."""
    require_form_token()
    plan = _own_plan(plan_id)
    with writing() as session:
        accept_plan(session, plan_id, actor=f"account:{signed_in().account_id}", now=request_time())
    return redirect(f"/store/plan?store={plan.store_id}#plan", 303)


@blueprint.get("/store/plans/<plan_id>/state")
@require_role("manager", "coe")
def state(plan_id: str) -> dict[str, Any]:
    """How far a plan is, for the page that waits for it."""
    plan = _own_plan(plan_id)
    return {"state": plan.state, "step": plan.step, "busy": _busy(plan)}


@blueprint.get("/store/plans/<plan_id>/shifts.csv")
@require_role("manager", "coe")
def shifts_download(plan_id: str) -> Response:
    """The plan as a `shifts` file, which can be imported once it is the roster."""
    plan = _own_plan(plan_id)
    tz = store_zone(reading(), plan.store_id, settings().chain.timezone)
    rows = [
        {
            "clerk_id": shift["clerk_id"],
            "store_id": plan.store_id,
            "starts_at": _moment(date.fromisoformat(shift["day"]), first, tz),
            "ends_at": _moment(date.fromisoformat(shift["day"]), last, tz),
            "duty": duty,
        }
        for shift in (plan.document or {}).get("shifts", [])
        for first, last, duty in shift["segments"]
    ]
    return csv_file("shifts", SHIFTS, rows)


def _own_plan(plan_id: str) -> ShiftPlanRecord:
    plan = find_plan(reading(), plan_id)
    require_store(plan.store_id)
    return plan


def _busy(plan: ShiftPlanRecord | None) -> bool:
    return (
        plan is not None and plan.state in ("waiting", "running") and plan.asked_at > request_time() - STALLED
    )  # fmt: skip


def _by_day(plan: ShiftPlanRecord) -> list[dict[str, Any]]:
    """The plan day by day: its shifts, and per hour clerks planned against needed."""
    document = plan.document or {}
    found = []
    for number in range(plan.days):
        day = plan.first_day + timedelta(days=number)
        needed, planned = document["needed"][number], document["planned"][number]
        hours = {}
        for hour in range(24):
            quarters = [(n, p) for n, p in zip(needed[4 * hour :], planned[4 * hour :], strict=True)][:4]
            asked = [(n, p) for n, p in quarters if n]
            if asked:
                gap = min(p - n for n, p in asked)
                hours[hour] = {"needed": max(n for n, _ in asked), "planned": min(p for _, p in asked), "gap": gap}
        shifts = [shift for shift in document["shifts"] if shift["day"] == day.isoformat()]
        found.append({"day": day, "hours": hours, "shifts": shifts})
    return found


def _hours(plan: ShiftPlanRecord) -> list[int]:
    document = plan.document or {}
    cells = [{"slot": slot} for day in document["needed"] for slot, count in enumerate(day) if count]
    return hours_of(cells)


def _moment(day: date, slot: int, tz: ZoneInfo) -> str:
    """The moment at which a slot of a day begins on the store's clock; slot 96 is midnight."""
    on, slot = (day, slot) if slot < 96 else (day + timedelta(days=1), slot - 96)
    return datetime.combine(on, time(slot // 4, slot % 4 * 15), tz).isoformat()
