"""The team page: which clerk's proposals succeed more or less often than their customers let expect."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template

from analytics import staff_success
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading
from clerk_ui.management import csv_file, frame
from clerk_ui.store.asked import asked_store, audit
from clerk_ui.store.pictures import funnel_picture
from clerk_ui.store.subjects import SPANS, Span, span
from journey.contests import OPEN, contests
from journey.stores import clerk_names

blueprint = APIBlueprint("team", "clerk_ui.store", enable_openapi=False)
COLUMNS = (
    "clerk_id", "name", "services", "identified", "shown", "recorded", "proposed", "accepted", "confirmed",
    "first_purchases", "focus_first_purchases", "rate", "expected", "oe", "oe_low", "oe_high", "shrunk_rate", "low",
    "high", "standardised_rate", "standardised_low", "standardised_high", "p_top_fifth", "flag", "attended",
    "seconds_to_attend", "recorded_share", "follow_ups", "kept", "kept_share", "survey_n", "survey_score",
)  # fmt: skip


@blueprint.get("/store/")
@require_role("manager", "coe")
def page() -> str:
    """The page."""
    chosen, asked = asked_store(), span()
    place = chosen.store
    report = team(place.store_id, asked)
    waiting = len(contests(reading(), store_id=place.store_id, state=OPEN))
    audit("staff.viewed", place.store_id)
    clerks = report["clerks"]
    return render_template(
        "store/team.html",
        **frame("team"),
        store=place,
        stores=chosen.choice,
        asked=asked,
        spans=SPANS,
        clerks=clerks,
        average=report["funnel"]["average"],
        least=report["min_proposals"],
        overdispersion=report["funnel"]["overdispersion"],
        steps=staff_success.steps(clerks, report["chain"]),
        picture=funnel_picture(clerks, report["funnel"]["tau2"]),
        waiting=waiting,
        proposed=sum(clerk["proposed"] for clerk in clerks),
        shown=sum(clerk["shown"] for clerk in clerks),
        span=max([0.1, *(clerk["high"] for clerk in clerks if clerk["high"] is not None)]),
        comparable=any(clerk["ranked"] for clerk in clerks),
        above=[clerk for clerk in clerks if clerk["flag"] in ("high_95", "high_998")],
        rather_above=[clerk for clerk in clerks if clerk["ranked"] and clerk["low"] > clerk["expected"]],
        below=[clerk for clerk in clerks if clerk["flag"] in ("low_95", "low_998")],
    )


@blueprint.get("/store/team.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The same figures as a file."""
    chosen, asked = asked_store(), span()
    place = chosen.store
    report = team(place.store_id, asked)
    audit("staff.exported", place.store_id)
    return csv_file(f"team-{asked.days or 'all'}-days", COLUMNS, report["clerks"])


def team(store_id: str, asked: Span) -> dict[str, Any]:
    """The staff report of one store, with names; sorted by name, never by a rate."""
    session = reading()
    report = staff_success.report(session, store=store_id, start=asked.start, end=asked.end)
    names = clerk_names(session, store_id=store_id)
    for clerk in report["clerks"]:
        clerk["name"] = names.get(clerk["clerk_id"], clerk["clerk_id"])
    report["clerks"].sort(key=lambda clerk: (clerk["name"], clerk["clerk_id"]))
    return report
