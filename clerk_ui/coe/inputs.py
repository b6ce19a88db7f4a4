"""The inputs page: do the facts that suggestions rest on still look as they did in training, and are they fresh?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, redirect, render_template
from werkzeug.wrappers import Response

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.model_registry import audit, registry
from clerk_ui.database_sessions import engine_of, reading, request_time
from clerk_ui.languages import t
from clerk_ui.management import csv_file, frame
from clerk_ui.security import require_form_token
from journey.freshness import freshness
from journey.lake import refresh
from journey.stores import stores

blueprint = APIBlueprint("inputs", "clerk_ui.coe", enable_openapi=False)
COLUMNS = ("input", "psi", "noise", "level", "bin", "then", "now", "n_then", "n_now")
ORDER = {"changed": 0, "look": 1, "same": 2}


@blueprint.get("/coe/inputs")
@require_role("coe")
def page() -> str:
    """The page."""
    from recommender.drift import kept

    found = registry()
    document = kept(found.models)
    facts = freshness(reading(), now=request_time())
    shifts = sorted(document["shifts"], key=lambda s: (ORDER[s["level"]], -s["psi"])) if document else []
    moved = [entry["name"] for entry in [*shifts, *(document["rates"] if document else [])] if entry["level"] != "same"]
    return render_template(
        "coe/inputs.html",
        **frame("inputs"),
        measured=None if document is None else _with_times(document),
        shifts=shifts,
        moved=[t(f"models.input_{name}") for name in moved],
        facts=facts,
        stale=[t(f"coe.table_{fact.table}") for fact in facts if fact.stale],
        words={store.store_id: store.name or store.store_id for store in stores(reading())} | _words(shifts),
        can_measure=found.current_version() is not None,
    )


@blueprint.get("/coe/inputs.csv")
@require_role("coe")
def download() -> Response:
    """Every bin of every input as a file."""
    from recommender.drift import kept

    document = kept(registry().models) or {"shifts": []}
    rows = ({"input": shift["name"]} | shift | bin for shift in document["shifts"] for bin in shift["bins"])
    return csv_file("inputs", COLUMNS, rows)


@blueprint.post("/coe/inputs")
@require_role("coe")
def measure_now() -> Response:
    """Bring the lake up to date and compare again."""
    require_form_token()
    from recommender.drift import keep, measure

    found, home = registry(), settings().storage.home
    current = found.current_version()
    if current is not None:
        refresh(engine_of(current_app), home, timezone=settings().chain.timezone)
        cut_off = datetime.fromisoformat(found.show(current)["cut_off"])
        keep(found.models, measure(home, cut_off, at=request_time()))
        audit("inputs.measured", current)
    return redirect("/coe/inputs", 303)


def _with_times(document: dict[str, Any]) -> dict[str, Any]:
    spans = {
        name: [date.fromisoformat(day) for day in document[name]] if document[name] else None
        for name in ("then", "now")
    }
    return document | spans | {"at": datetime.fromisoformat(document["at"])}


def _words(shifts: list[dict[str, Any]]) -> dict[str, str]:
    """Names of the bins that are words of ours rather than of the retailer."""
    known = ("carded", "uncarded", "known", "unknown", "store", "ec", "app", "view", "cart", "favorite", "search",
             "purchase", "mail_sent", "mail_open", "content_view", "checkin", "recommend_click")  # fmt: skip
    return {"": t("models.bin_none"), **{name: t(f"models.bin_{name}") for name in known}}
