"""Contested outcomes: a clerk says what was otherwise, the store's manager decides."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import redirect, render_template
from werkzeug.wrappers import Response

from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import frame, signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.asked import asked_store
from clerk_ui.store.forms import line
from clerk_ui.store.subjects import oneself
from journey.contests import OPEN, contest_of, contest_outcome, contests, decide_contest
from journey.errors import NotAllowed
from journey.stores import clerk_names

blueprint = APIBlueprint("contests", "clerk_ui.store", enable_openapi=False)


@blueprint.post("/store/me/contests")
@require_role("clerk", "manager")
def contest() -> Response:
    """Contest an own outcome."""
    require_form_token()
    subject = oneself()
    with writing() as session:
        contest_outcome(
            session, line("outcome_id"), clerk_id=subject.clerk_id, wish=line("wish"), reason=line("reason", 500),
            actor=f"account:{signed_in().account_id}", now=request_time(),
        )  # fmt: skip
    return redirect("/store/me#contests", 303)


@blueprint.get("/store/contests")
@require_role("manager", "coe")
def page() -> str:
    """What waits for a decision in the store, and what was decided."""
    asked = asked_store()
    place = asked.store
    rows = contests(reading(), store_id=place.store_id)
    return render_template(
        "store/contests.html",
        **frame("team"),
        store=place,
        stores=asked.choice,
        waiting=[row for row in rows if row.contest.state == OPEN],
        decided=[row for row in rows if row.contest.state != OPEN][:50],
        names=clerk_names(reading(), store_id=place.store_id),
        own_clerk=signed_in().clerk_id,
    )


@blueprint.post("/store/contests/<contest_id>/decision")
@require_role("manager", "coe")
def decide(contest_id: str) -> Response:
    """Uphold or reject. Nobody decides on an own contest but the CoE."""
    require_form_token()
    found = contest_of(reading(), contest_id)
    require_store(found.store_id)
    person = signed_in()
    if found.clerk_id == person.clerk_id:
        raise NotAllowed("this contest is your own", where="contest_id", what_to_do="let somebody else decide")
    with writing() as session:
        decide_contest(
            session, contest_id, uphold=line("decision") == "uphold", answer=line("answer", 500),
            by=person.account_id, actor=f"account:{person.account_id}", now=request_time(),
        )  # fmt: skip
    return redirect(f"/store/contests?store={found.store_id}", 303)
