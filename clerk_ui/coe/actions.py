"""Actions: findings in the hands of units, with owner, KPI, target and date, and what came of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from analytics.action_plans import STATES, move_action, open_action
from analytics.kpis import known_kpis
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.languages import t
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.accounts import accounts
from journey.actions import ActionPlan, action_plans
from journey.audit import record_act
from journey.customers import customer_groups
from journey.errors import InputError, NotAllowed
from journey.local_days import local_date, zone
from journey.sign_ins import Person
from journey.stores import stores
from journey.units import organisation, units_of

blueprint = APIBlueprint("actions", "clerk_ui.coe", enable_openapi=False)
OWNERS = ("coe", "head", "manager", "admin")
USUAL_DAYS = 90
COLUMNS = (
    "action_id", "finding", "source", "unit", "area", "owner", "segment", "kpi", "baseline", "target", "starts_on",
    "due_on", "state", "effect", "low", "high", "verdict", "outcome",
)  # fmt: skip


@blueprint.get("/coe/actions")
@require_role("coe", "head")
def page() -> str:
    """The list: the CoE sees all units, a head the own ones."""
    return _list("")


@blueprint.get("/coe/actions.csv")
@require_role("coe", "head")
def download() -> Any:
    """The same as a file."""
    return csv_file("actions", COLUMNS, [_row(plan, told) for plan, told in plans_with_effects(reading(), signed_in())])


@blueprint.get("/coe/actions/new")
@require_role("coe", "head")
def new() -> str:
    """The form, filled in with what the finding knows."""
    today = local_date(request_time(), zone(None, settings().chain.timezone))
    given = {name: request.args.get(name, "") for name in ("finding", "kpi", "source", "baseline", "target")}
    return _form(given | {"starts_on": today.isoformat(), "due_on": (today + timedelta(days=USUAL_DAYS)).isoformat()})


@blueprint.post("/coe/actions")
@require_role("coe", "head")
def open_one() -> str | Response | tuple[str, int]:
    """Open an action as proposed."""
    require_form_token()
    person = signed_in()
    given = {name: value.strip() for name, value in request.form.items()}
    try:
        with writing() as session:
            plan = _plan(session, given, person)
            open_action(session, plan)
            _audit(session, "action.opened", plan.action_id, {"unit": plan.unit, "kpi": plan.kpi})
    except InputError as error:
        return _form(given, error.what), 422
    return redirect("/coe/actions", 303)


@blueprint.post("/coe/actions/<action_id>/state")
@require_role("coe", "head")
def move(action_id: str) -> Response:
    """Start, finish or drop an action; a head only those of the own units."""
    require_form_token()
    person, state = signed_in(), request.form.get("state", "")
    with writing() as session:
        plan = move_action(session, action_id, state)
        _require_unit(session, person, plan.unit)
        if not STATES[state]:
            plan.closed_at, plan.outcome = request_time(), request.form.get("outcome", "").strip()[:1000] or None
        _audit(session, f"action.{state}", action_id, {"unit": plan.unit})
    return redirect("/coe/actions", 303)


def visible_units(session: Session, person: Person) -> list[str] | None:
    """The units whose actions a person sees; None: all."""
    return units_of(session, person.account_id) if person.role == "head" else None


def plans_with_effects(session: Session, person: Person) -> list[tuple[ActionPlan, dict[str, Any] | None]]:
    """Plans that a person may see, each with its kept effect (None where it was not worked out yet)."""
    stored = kept("actions")
    told = {row["action_id"]: row for row in stored.document["actions"]} if stored else {}
    plans = action_plans(session, units=visible_units(session, person))
    return [(plan, told.get(plan.action_id)) for plan in plans]


def _list(message: str) -> str:
    session, person = reading(), signed_in()
    rows = plans_with_effects(session, person)
    mine = set(units_of(session, person.account_id))
    today = local_date(request_time(), zone(None, settings().chain.timezone))
    order = {"running": 0, "proposed": 1, "done": 2, "dropped": 3}
    rows.sort(key=lambda row: (order[row[0].state], row[0].due_on))
    return render_template(
        "coe/actions.html", **frame("actions"), **as_of(kept("actions")), message=message, rows=rows, mine=mine,
        next_states=STATES, today=today, running=sum(plan.state == "running" for plan, _ in rows),
        late=[plan for plan, _ in rows if plan.state in ("proposed", "running") and plan.due_on < today],
        improved=sum(told is not None and told["verdict"] == "improved" for _, told in rows),
        worsened=sum(told is not None and told["verdict"] == "worsened" for _, told in rows),
        scale=max([1.0, *(abs(told[side]) for _, told in rows if told and told["low"] is not None
                          and told["effect_unit"] == "points" for side in ("low", "high"))]),
    )  # fmt: skip


def _form(given: dict[str, str], message: str = "") -> str:
    session, person = reading(), signed_in()
    people = [account for account in accounts(session, enabled_only=True) if account.role in OWNERS]
    units = visible_units(session, person) or sorted(
        {m.unit for m in organisation(session)} | {plan.unit for plan in action_plans(session)}
    )
    return render_template(
        "coe/action_form.html", **frame("actions"), given=given, message=message, people=people, units=units,
        areas=sorted({m.area for m in organisation(session) if m.area}), stores=stores(session),
        kpis=known_kpis(session), chosen=request.form.getlist("stores"),
        compared=request.form.getlist("comparison_stores"), bound=person.role == "head",
        groups=customer_groups(session),
    )  # fmt: skip


def _plan(session: Session, given: dict[str, str], person: Person) -> ActionPlan:
    owner = next((a for a in accounts(session, enabled_only=True) if a.account_id == given.get("owner_id")), None)
    if owner is None or owner.role not in OWNERS:
        raise InputError(t("actions.needs_owner"), where="owner_id")
    if not given.get("finding"):
        raise InputError(t("actions.needs_finding"), where="finding")
    if given.get("kpi", "").partition("@")[0] not in known_kpis(session):
        raise InputError(t("actions.needs_kpi"), where="kpi")
    unit = given.get("unit", "")[:60]
    if not unit:
        raise InputError(t("actions.needs_unit"), where="unit")
    _require_unit(session, person, unit)
    chosen, compared = _stores(session, "stores"), _stores(session, "comparison_stores")
    if chosen and given.get("segment"):
        raise InputError(t("actions.stores_or_segment"), where="segment")
    if set(chosen) & set(compared):
        raise InputError(t("actions.both_sides"), where="comparison_stores")
    starts_on, due_on = _day(given, "starts_on"), _day(given, "due_on")
    if due_on < starts_on:
        raise InputError(t("actions.due_before_start"), where="due_on")
    return ActionPlan(
        action_id=secrets.token_hex(6), finding=given["finding"][:500], owner=owner.name, owner_id=owner.account_id,
        unit=unit, area=given.get("area", "")[:60] or None, kpi=given.get("kpi", "")[:80],
        baseline=_number(given, "baseline"), target=_number(given, "target"), starts_on=starts_on, due_on=due_on,
        stores=chosen or None, comparison_stores=compared or None, state="proposed", created_at=request_time(),
        source=given.get("source", "")[:20] or None, segment=_segment(session, given.get("segment", "")),
    )  # fmt: skip


def _require_unit(session: Session, person: Person, unit: str) -> None:
    allowed = visible_units(session, person)
    if allowed is not None and unit not in allowed:
        raise NotAllowed("this is another unit's", where="unit", what_to_do="choose one of your own units")


def _segment(session: Session, named: str) -> str | None:
    group, _, member = named.partition(":")
    return named if member in customer_groups(session).get(group, []) else None


def _stores(session: Session, field: str) -> Sequence[str]:
    known = {store.store_id for store in stores(session)}
    return [name for name in request.form.getlist(field) if name in known]


def _day(given: dict[str, str], field: str) -> date:
    try:
        return date.fromisoformat(given.get(field, ""))
    except ValueError as error:
        raise InputError(t("actions.needs_day"), where=field) from error


def _number(given: dict[str, str], field: str) -> float | None:
    text = given.get(field, "").replace(",", "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12:
        raise InputError(t("actions.needs_number"), where=field)
    return value


def _row(plan: ActionPlan, told: dict[str, Any] | None) -> dict[str, Any]:
    own = {name: getattr(plan, name, None) for name in COLUMNS}
    effect = {name: told[name] for name in ("effect", "low", "high", "verdict")} if told else {}
    return own | effect | {"baseline": told["baseline"] if told and plan.baseline is None else plan.baseline}


def _audit(session: Session, action: str, action_id: str, detail: dict[str, Any]) -> None:
    record_act(
        session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action, subject_kind="action",
        subject_id=action_id, detail=detail,
    )  # fmt: skip
