"""When clerks can be planned, and the labour rules of the store: what the planner keeps to."""

from __future__ import annotations

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from analytics.staffing.planning import habits, rules_of
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import frame, signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.asked import asked_store
from journey.availability import StoreRules, clerk_terms, keep_rules, keep_terms, store_rules
from journey.errors import InputError

blueprint = APIBlueprint("availability", "clerk_ui.store", enable_openapi=False)


@blueprint.get("/store/plan/people")
@require_role("manager", "coe")
def page() -> str:
    """Everybody's hours, and the rules."""
    asked = asked_store()
    session = reading()
    kept = store_rules(session, asked.store.store_id)
    rules = rules_of(kept)
    return render_template(
        "store/availability.html",
        **frame("plan"),
        asked=asked,
        people=clerk_terms(session, asked.store.store_id, today=asked.today, week_hours=rules.week_hours),
        usual=habits(session, asked.store.store_id, asked.tz, asked.today),
        rules=rules,
        kept=kept,
        saved=request.args.get("saved", ""),
    )


@blueprint.post("/store/plan/people/<clerk_id>")
@require_role("manager", "coe")
def keep_person(clerk_id: str) -> AnyResponse:
    """Keep when a clerk can work."""
    require_form_token()
    asked = asked_store()
    hours = {}
    for weekday in range(7):
        first, last = request.form.get(f"from-{weekday}", ""), request.form.get(f"to-{weekday}", "")
        if first and last:
            hours[weekday] = (_slot(first, f"from-{weekday}"), _slot(last, f"to-{weekday}") or 96)
    with writing() as session:
        keep_terms(
            session, clerk_id, store_id=asked.store.store_id, week_hours=_number("week_hours"),
            plannable=request.form.get("plannable") == "yes", hours=hours, days_off=_days_off(),
            actor=f"account:{signed_in().account_id}", now=request_time(),
        )  # fmt: skip
    return redirect(f"/store/plan/people?store={asked.store.store_id}&saved={clerk_id}#{clerk_id}", 303)


@blueprint.post("/store/plan/rules")
@require_role("manager", "coe")
def keep_store_rules() -> AnyResponse:
    """Keep the store's rules."""
    require_form_token()
    asked = asked_store()
    cost = request.form.get("hour_cost", "").strip()
    rules = StoreRules(
        store_id=asked.store.store_id,
        shortest_hours=_number("shortest_hours"),
        longest_hours=_number("longest_hours"),
        week_hours=_number("week_hours"),
        rest_hours=_number("rest_hours"),
        day_off_in=int(_number("day_off_in")),
        hour_cost=_number("hour_cost") if cost else None,
    )
    with writing() as session:
        keep_rules(session, rules, actor=f"account:{signed_in().account_id}", now=request_time())
    return redirect(f"/store/plan/people?store={asked.store.store_id}&saved=rules#rules", 303)


def _slot(text: str, where: str) -> int:
    """The quarter hour of a time such as 9:30.

    Raises:
        InputError: no time of day.
    """
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise InputError(f"{text!r} is no time", where=where, what_to_do="write it like 9:30")
    return int(hour) * 4 + int(minute) // 15


def _number(name: str) -> float:
    text: Any = request.form.get(name, "").strip()
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no number", where=name, what_to_do="write digits") from error
    if not 0 <= value < 1e9:  # nan is refused too
        raise InputError(f"{text!r} is out of range", where=name, what_to_do="write a usual number")
    return value


def _days_off() -> frozenset[date]:
    days = set()
    for text in request.form.get("days_off", "").replace("、", ",").replace(",", " ").split():
        try:
            days.add(date.fromisoformat(text.replace("/", "-")))
        except ValueError as error:
            raise InputError(f"{text!r} is no date", where="days_off", what_to_do="write 2026-12-24") from error
    return frozenset(days)
