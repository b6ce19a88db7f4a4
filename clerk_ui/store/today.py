"""The page of the day: the three things to act on, each with its evidence one tap away."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
from apiflask import APIBlueprint
from flask import Response, render_template
from sqlalchemy.orm import Session

from analytics.staffing.coming_hours import judged_day
from analytics.staffing.rolled_up import law_of
from analytics.today import Asked, Finding, find, findings
from analytics.today.scorer import FINDERS
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.languages import day, moment, number, percent, t
from clerk_ui.management import csv_file, frame
from clerk_ui.store.asked import AskedStore, asked_store, audit
from journey.errors import NotFound
from journey.staffing_slots import staffing_store

blueprint = APIBlueprint("today", "clerk_ui.store", enable_openapi=False)
SHOWN = 3
# kind → where something is done about it; the evidence page where nothing else is
PLACES = {
    "short_today": "/store/live", "short_hour": "/store/plan", "unserved": "/store/staffing", "learn": "/store/",
    "unrecorded": "/store/", "focus": "/store/focus", "late_tasks": "/store/voice",
}  # fmt: skip
ICONS = {
    "late_tasks": "voice", "late_orders": "parcel", "late_follow_ups": "bell", "short_today": "clock",
    "short_hour": "clock", "unserved": "door", "sold_out": "bag", "unrecorded": "pen", "focus": "star",
    "learn": "people",
}  # fmt: skip
SHARES = ("rate", "low", "high", "before", "other", "expected", "p_short")
PERSONAL = ("late_tasks", "late_orders", "late_follow_ups")  # evidence that names customers


@blueprint.get("/store/today")
@require_role("manager", "coe")
def page() -> str:
    """The findings of the day."""
    asked = asked_store()
    found = findings(reading(), _day(asked))
    return render_template(
        "store/today.html",
        **frame("today"),
        asked=asked,
        first=[_worded(one, asked) for one in found[:SHOWN]],
        others=[_worded(one, asked) for one in found[SHOWN:]],
        glance=_glance(reading(), asked),
        state=staffing_store(reading(), asked.store.store_id),
    )


@blueprint.get("/store/today/<kind>")
@require_role("manager", "coe")
def evidence(kind: str) -> str:
    """The rows behind one finding."""
    asked = asked_store()
    found = _found(asked, kind)
    if kind in PERSONAL:
        audit(f"today.{kind}_viewed", asked.store.store_id)
    return render_template(
        "store/today_evidence.html",
        **frame("today"),
        asked=asked,
        kind=kind,
        finding=_worded(found, asked) if found is not None else None,
        columns=[(name, t(f"today.column_{name}"), _kind_of(found, name)) for name in found.columns] if found else [],
        rows=[{name: _cell(name, row[name], asked) for name in found.columns} for row in found.rows] if found else [],
    )


@blueprint.get("/store/today/<kind>.csv")
@require_role("manager", "coe")
def download(kind: str) -> Response:
    """The same rows as a file."""
    asked = asked_store()
    found = _found(asked, kind)
    if kind in PERSONAL:
        audit(f"today.{kind}_exported", asked.store.store_id)
    return csv_file(f"today-{kind}", found.columns if found else (), found.rows if found else [])


def _day(asked: AskedStore) -> Asked:
    return Asked(asked.store.store_id, asked.tz, asked.today, request_time())


def _found(asked: AskedStore, kind: str) -> Finding | None:
    if kind not in FINDERS:
        raise NotFound(f"no finding {kind!r}", where="kind", what_to_do="go back to the page of the day")
    return find(reading(), _day(asked), kind)


def _worded(found: Finding, asked: AskedStore) -> dict[str, Any]:
    """A finding in words: what it is, its evidence, what to do, and the ways to both."""
    words = {name: _word(found.kind, name, value) for name, value in found.facts.items()}
    query = f"?store={asked.store.store_id}"
    return {
        "kind": found.kind,
        "icon": ICONS[found.kind],
        "title": t(f"today.{found.kind}", **words),
        "evidence": t(f"today.{found.kind}_evidence", n=number(found.n), **words),
        "step": t(f"today.{found.kind}_step", **words),
        "act": t(f"today.{found.kind}_act"),
        "customers": found.customers,
        "rows": f"/store/today/{found.kind}{query}",
        "place": PLACES[found.kind] + query if found.kind in PLACES else f"/store/today/{found.kind}{query}",
    }


def _word(kind: str, name: str, value: Any) -> str:
    if name == "weekday":
        return str(t("staffing.weekdays").split(" ")[value])
    if name == "slot":
        return f"{value // 4}:{value % 4 * 15:02d}"
    if isinstance(value, date):
        return day(value)
    if name in SHARES and kind not in ("short_hour", "short_today"):
        return percent(value)
    if name == "p_short":
        return percent(value)
    return number(value, 1) if isinstance(value, int | float) else str(value)


def _kind_of(found: Finding, name: str) -> str:
    return "number" if found.rows and isinstance(found.rows[0][name], int | float) else "text"


def _cell(name: str, value: Any, asked: AskedStore) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return moment(value, asked.store.timezone)
    if isinstance(value, date):
        return day(value)
    if name == "starts_at":
        return moment(datetime.fromisoformat(value), asked.store.timezone)
    if name in SHARES:
        return percent(value)
    return number(value, 1) if isinstance(value, int | float) else str(value)


def _glance(session: Session, asked: AskedStore) -> dict[str, Any] | None:
    """Today at a glance: people expected, the busiest quarter hour, clerks needed then and rostered."""
    state = staffing_store(session, asked.store.store_id)
    judged = judged_day(session, state, asked.tz, asked.today)
    if state is None or judged is None:
        return None
    peak = judged.sort("arrivals").tail(1).row(0, named=True)
    return {
        "arrivals": float(judged["arrivals"].sum()),
        "share": law_of(state).share,
        "slot": peak["slot"],
        "needed": int(judged.select(pl.col("needed").max()).item()),
        "rostered": judged.select(pl.col("rostered").max()).item(),
    }
