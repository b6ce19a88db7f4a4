"""The manager's voices page: how the store is judged, and who comes back to customers who were not content."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from analytics.period import Period
from analytics.store_voice import LEAST_PERSONS, store_voice
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.accounts import accounts
from journey.audit import record_act
from journey.errors import InputError, NotAllowed
from journey.local_days import local_date, zone
from journey.stores import Store, stores
from journey.survey_tasks import OpenTask, assign, find_task, finish, tasks

blueprint = APIBlueprint("store_voice", "clerk_ui.store", enable_openapi=False)
SPANS = (28, 91, 365)
DONE_SHOWN = 20
COLUMNS = ("task_id", "opened_at", "due_on", "overdue", "touchpoint", "score", "scale_max", "comment", "assignee",
           "done_at", "done_by", "note")  # fmt: skip


@blueprint.get("/store/voice")
@require_role("manager", "coe")
def page() -> str:
    """The page."""
    return _page("")


@blueprint.get("/store/voice.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The follow-ups of the store, open and done, as a file without the customers' names."""
    store, _ = _asked()
    found = [
        task for done in (False, True) for task in tasks(reading(), store_id=store.store_id, today=_today(), done=done)
    ]
    _audit(store.store_id, "voice.exported")
    return csv_file("follow-ups", COLUMNS, [_row(task) for task in found])


@blueprint.post("/store/voice/tasks/<task_id>")
@require_role("manager", "coe")
def change(task_id: str) -> str | Redirect | tuple[str, int]:
    """Give a follow-up to a person, or close it with what was done."""
    require_form_token()
    person = signed_in()
    task = find_task(reading(), task_id)
    _require_task(task.store_id)
    try:
        with writing() as session:
            if request.form.get("assignee"):
                _require_colleague(task.store_id, request.form["assignee"])
                assign(session, task_id, request.form["assignee"], by=person.account_id, now=request_time())
            else:
                finish(session, task_id, request.form.get("note", ""), by=person.account_id, now=request_time())
    except InputError:
        return _page("voice.needs_note", store_id=task.store_id), 422
    return redirect(f"/store/voice?store={task.store_id or ''}", 303)


def _page(message: str, *, store_id: str | None = None) -> str:
    store, days = _asked(store_id)
    today, session = _today(), reading()
    everywhere = stores(session)
    open_tasks = tasks(session, store_id=store.store_id, today=today)
    since = today - timedelta(days=days)
    found = store_voice(session, store.store_id, Period.of(since, today, settings().chain.timezone))
    people = [a for a in accounts(session, enabled_only=True) if a.store_id == store.store_id or a.role == "coe"]
    _audit(store.store_id, "voice.viewed")
    return render_template(
        "store/voice.html", **frame("store_voice"), store=store, message=message, days=days, spans=SPANS,
        stores=everywhere if signed_in().role != "manager" else [store], found=found, least=LEAST_PERSONS,
        tasks=open_tasks, overdue=sum(task.overdue for task in open_tasks), people=people,
        done=tasks(reading(), store_id=store.store_id, today=today, done=True)[:DONE_SHOWN],
    )  # fmt: skip


def _asked(store_id: str | None = None) -> tuple[Store, int]:
    """The store and the days of this request; a manager's own store unless they may see others."""
    everywhere, person = stores(reading()), signed_in()
    wanted = store_id or request.args.get("store") or person.store_id or (everywhere[0].store_id if everywhere else "")
    require_store(wanted)
    days = request.args.get("days", SPANS[1], type=int)
    known = next((store for store in everywhere if store.store_id == wanted), None)
    return known or Store(store_id=wanted, name=wanted), days if days in SPANS else SPANS[1]


def _require_task(store_id: str | None) -> None:
    """A task without a store is the CoE's."""
    if store_id is not None:
        require_store(store_id)
    elif signed_in().role == "manager":
        raise NotAllowed("this follow-up has no store", where="task_id", what_to_do="ask the CoE")


def _require_colleague(store_id: str | None, account_id: str) -> None:
    """A follow-up goes to people of the store, or to the CoE."""
    known = {a.account_id for a in accounts(reading(), enabled_only=True) if a.store_id == store_id or a.role == "coe"}
    if account_id not in known:
        raise NotAllowed("this person is of another store", where="assignee", what_to_do="choose one of the list")


def _today() -> date:
    return local_date(request_time(), zone(None, settings().chain.timezone))


def _row(found: OpenTask) -> dict[str, Any]:
    own = {name: getattr(found.task, name) for name in COLUMNS if hasattr(found.task, name)}
    return own | {"overdue": found.overdue, "comment": found.comment, "assignee": found.assignee_name}


def _audit(store_id: str, action: str) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action, subject_kind="store",
            subject_id=store_id,
        )  # fmt: skip
