"""The CoE's focus page: do campaigns win first purchases because of the proposals, and how far are their lists?"""

from __future__ import annotations

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, redirect, render_template
from werkzeug.wrappers import Response

from analytics.experiments import campaign_effects
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.model_registry import audit, registry
from clerk_ui.database_sessions import end_reading, engine_of, reading, request_time
from clerk_ui.focus_results import KIND, make_focus
from clerk_ui.management import csv_file, frame
from clerk_ui.security import require_form_token
from journey.analysis_results import stored_result
from journey.errors import Unavailable
from journey.stores import stores

blueprint = APIBlueprint("coe_focus", "clerk_ui.coe", enable_openapi=False)
COLUMNS = ("campaign_id", "name", "arm", "n", "outcome", "effect", "low", "high", "control")


@blueprint.get("/coe/focus")
@require_role("coe")
def page() -> str:
    """The page."""
    return _page("")


@blueprint.get("/coe/focus.csv")
@require_role("coe")
def download() -> Response:
    """Arms of every campaign as a file."""
    return csv_file("focus", COLUMNS, campaign_effects(reading()))


@blueprint.post("/coe/focus")
@require_role("coe")
def make_now() -> str | Response | tuple[str, int]:
    """Make the lists of all stores anew."""
    require_form_token()
    end_reading()  # the lists are made in sessions of their own, and kept while nobody reads
    try:
        document = make_focus(engine_of(current_app), settings(), now=request_time())
    except Unavailable as error:
        return _page(error.sentence), 409
    audit("focus.made", document["version"], campaigns=[each["campaign_id"] for each in document["campaigns"]])
    return redirect("/coe/focus", 303)


def _page(message: str) -> str:
    session = reading()
    kept = stored_result(session, KIND)
    arms = campaign_effects(session)
    effects = [row for row in arms if row["arm"] != row["control"]]
    campaigns = [_with_dates(each) for each in kept.document["campaigns"]] if kept else []
    return render_template(
        "coe/focus.html",
        **frame("focus"),
        message=message,
        kept=kept,
        campaigns=campaigns,
        names={store.store_id: store.name or store.store_id for store in stores(session)},
        effects=effects,
        controls={row["campaign_id"]: row for row in arms if row["arm"] == row["control"]},
        span=max([0.05, *(abs(row[side]) for row in effects for side in ("low", "high") if row[side] is not None)]),
        proven=[row["name"] for row in effects if row["low"] is not None and row["low"] > 0],
        can_make=registry().current_version() is not None,
    )


def _with_dates(campaign: dict[str, Any]) -> dict[str, Any]:
    return campaign | {name: date.fromisoformat(campaign[name]) for name in ("first", "last")}
