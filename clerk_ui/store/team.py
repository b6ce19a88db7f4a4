"""The team page: which clerk's proposals succeed more or less often than their customers let expect."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request
from sqlalchemy.orm import Session

from analytics import staff_success
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import csv_file, frame, signed_in
from journey.audit import record_act
from journey.local_days import zone
from journey.rollups import last_run
from journey.stores import Store, clerk_names, stores

blueprint = APIBlueprint("team", "clerk_ui.store", enable_openapi=False)
SPANS = (28, 91, 365)
COLUMNS = (
    "clerk_id", "name", "shown", "proposed", "accepted", "confirmed", "rate", "expected", "oe", "shrunk_rate", "low",
    "high", "p_top_fifth", "flag",
)  # fmt: skip


@blueprint.get("/store/")
@require_role("manager", "coe")
def page() -> str:
    """The page."""
    store, days = _asked()
    report = team(reading(), store.store_id, days)
    _audit(store.store_id, "staff.viewed")
    clerks = report["clerks"]
    return render_template(
        "store/team.html",
        **frame("team"),
        store=store,
        stores=stores(reading()) if signed_in().role != "manager" else [store],
        days=days,
        spans=SPANS,
        clerks=clerks,
        average=report["funnel"]["average"],
        least=report["min_proposals"],
        totals={name: sum(clerk[name] for clerk in clerks) for name in ("shown", "proposed", "accepted", "confirmed")},
        span=max([0.1, *(clerk["high"] for clerk in clerks if clerk["high"] is not None)]),
        comparable=any(clerk["proposed"] >= report["min_proposals"] for clerk in clerks),
        above=[clerk for clerk in clerks if clerk["flag"] in ("high_95", "high_998")],
        below=[clerk for clerk in clerks if clerk["flag"] in ("low_95", "low_998")],
    )


@blueprint.get("/store/team.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The same figures as a file."""
    store, days = _asked()
    report = team(reading(), store.store_id, days)
    _audit(store.store_id, "staff.exported")
    return csv_file(f"team-{days}-days", COLUMNS, report["clerks"])


def team(session: Session, store_id: str, days: int) -> dict[str, Any]:
    """The staff report of one store over the last days, with names; sorted by name, never by a rate."""
    run = last_run(session, "staff")
    through = run.through if run else request_time().astimezone(zone(None, settings().chain.timezone)).date()
    start, end = staff_success.usual_span(days, through)
    report = staff_success.report(session, store=store_id, start=start, end=end)
    names = clerk_names(session, store_id=store_id)
    for clerk in report["clerks"]:
        clerk["name"] = names.get(clerk["clerk_id"], clerk["clerk_id"])
    report["clerks"].sort(key=lambda clerk: (clerk["name"], clerk["clerk_id"]))
    return report


def _asked() -> tuple[Store, int]:
    """The store and the days of this request; a manager's own store unless they may see others."""
    everywhere = stores(reading())
    person = signed_in()
    wanted = request.args.get("store") or person.store_id or (everywhere[0].store_id if everywhere else "")
    require_store(wanted)
    store = next((each for each in everywhere if each.store_id == wanted), None)
    days = request.args.get("days", SPANS[1], type=int)
    return store or Store(store_id=wanted, name=wanted), days if days in SPANS else SPANS[1]


def _audit(store_id: str, action: str) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action, subject_kind="store",
            subject_id=store_id,
        )  # fmt: skip
