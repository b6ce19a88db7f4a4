"""Notes and goals between a manager and a clerk: both write on the clerk's page, both see all of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from flask import redirect
from werkzeug.wrappers import Response

from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.management import signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.forms import line, number, optional
from clerk_ui.store.subjects import Subject, colleague, oneself
from journey.audit import record_act
from journey.coaching import close_goal, remove_entry, write_entry
from journey.errors import InputError, NotAllowed

blueprint = APIBlueprint("coaching", "clerk_ui.store", enable_openapi=False)
PERCENT = ("recorded_share", "kept_share")  # goals that people write as per cent


@blueprint.post("/store/me/coaching")
@require_role("clerk", "manager")
def write_mine() -> Response:
    """A clerk's own note."""
    return _write(oneself())


@blueprint.post("/store/people/<clerk_id>/coaching")
@require_role("manager")
def write_theirs(clerk_id: str) -> Response:
    """A manager's note or goal."""
    return _write(colleague(clerk_id))


@blueprint.post("/store/me/coaching/<entry_id>/<act>")
@require_role("clerk", "manager")
def change_mine(entry_id: str, act: str) -> Response:
    """Mark a goal as reached, or remove an own entry."""
    return _change(oneself(), entry_id, act)


@blueprint.post("/store/people/<clerk_id>/coaching/<entry_id>/<act>")
@require_role("manager")
def change_theirs(clerk_id: str, entry_id: str, act: str) -> Response:
    """The same from the manager's side."""
    return _change(colleague(clerk_id), entry_id, act)


def _write(subject: Subject) -> Response:
    require_form_token()
    _require_coached(subject)
    person = signed_in()
    with writing() as session:
        entry = write_entry(
            session, clerk_id=subject.clerk_id, store_id=subject.store_id, author=person.account_id,
            author_name=person.name, text=line("text", 2000), now=request_time(), **_goal(),
        )  # fmt: skip
        record_act(
            session, at=request_time(), actor=f"account:{person.account_id}", action="coaching.written",
            subject_kind="clerk", subject_id=subject.clerk_id, detail={"kind": entry.kind},
        )  # fmt: skip
    return redirect(f"{subject.base}#coaching", 303)


def _require_coached(subject: Subject) -> None:
    if not subject.coached:
        raise NotAllowed(
            "notes and goals are between the clerk and the manager", where=signed_in().role, what_to_do="leave them be"
        )


def _goal() -> dict[str, Any]:
    """The goal of the form, empty for a note."""
    measure, due = optional("measure"), optional("due_on")
    if not due:
        return {}
    try:
        due_on = date.fromisoformat(due)
    except ValueError as error:
        raise InputError(f"{due!r} is no date", where="due_on", what_to_do="write 2026-03-31") from error
    target = number("target") if measure else None
    if target is not None and measure in PERCENT:
        target /= 100
    return {"measure": measure, "target": target, "due_on": due_on}


def _change(subject: Subject, entry_id: str, act: str) -> Response:
    require_form_token()
    _require_coached(subject)
    with writing() as session:
        if act == "done":
            close_goal(session, entry_id, clerk_id=subject.clerk_id, now=request_time())
        elif act == "removal":
            author = signed_in().account_id
            remove_entry(session, entry_id, clerk_id=subject.clerk_id, author=author, now=request_time())
        else:
            raise InputError(f"{act!r} is no act", where="act", what_to_do="use done or removal")
    return redirect(f"{subject.base}#coaching", 303)
