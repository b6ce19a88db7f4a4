"""The models page: which version serves, how good each one was, what was promoted when, and rollback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template
from werkzeug.wrappers import Response

from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.model_registry import audit, readable, registry
from clerk_ui.database_sessions import request_time
from clerk_ui.languages import t
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.errors import Conflict
from recommender.training_lock import running

blueprint = APIBlueprint("models", "clerk_ui.coe", enable_openapi=False)
SHOWN = 30
NEVER = datetime.min.replace(tzinfo=UTC)
COLUMNS = (
    "version", "current", "created_at", "cut_off", "rows", "customers", "products", "validation_all",
    "validation_all_best_single", "validation_explore", "validation_explore_best_single", "calibration_error",
)  # fmt: skip


@blueprint.get("/coe/")
@require_role("coe")
def page() -> str:
    """The page."""
    return models_page("")


@blueprint.get("/coe/models.csv")
@require_role("coe")
def download() -> Response:
    """Versions with their figures as a file."""
    rows = (manifest | manifest.get("metrics", {}) for manifest in registry().versions())
    return csv_file("models", COLUMNS, rows)


@blueprint.post("/coe/models/rollback")
@require_role("coe")
def rollback() -> str | Response | tuple[str, int]:
    """Return to the version that served before."""
    require_form_token()
    try:
        version = registry().rollback(now=request_time(), by=signed_in().account_id)
    except Conflict:
        return models_page(t("coe.nothing_before")), 409
    audit("model.rolled_back", version)
    return redirect("/coe/", 303)


def models_page(message: str) -> str:
    """The list of versions, with a message on top where something was refused."""
    found = registry()
    versions = [readable(version) for version in found.versions()]
    current = next((version for version in versions if version["current"]), None)
    usable = [version for version in versions if "unusable" not in version]
    newest = usable[-1] if usable else None
    earlier = found.earlier_versions()
    return render_template(
        "coe/models.html",
        **frame("models"),
        message=message,
        versions=versions[::-1][:SHOWN],
        more=len(versions) - SHOWN,
        current=current,
        waiting=newest if newest and current and newest["created_at"] > current.get("created_at", NEVER) else None,
        running=_told(running(found.models)),
        points={kind: _points(usable, kind) for kind in ("all", "explore")},
        rollback_to=earlier[0] if earlier else None,
        history=[entry | {"at": datetime.fromisoformat(entry["at"])} for entry in reversed(found.history()[-12:])],
    )


def _points(versions: list[dict[str, Any]], kind: str) -> list[tuple[str, float, float | None]]:
    """Label, figure and the best single model's figure of every version that has them, oldest first."""
    name = f"validation_{kind}"
    return [
        (f"{version['created_at']:%m/%d}", version["metrics"][name], version["metrics"].get(f"{name}_best_single"))
        for version in versions[-SHOWN:]
        if name in version["metrics"]
    ]


def _told(note: dict[str, Any] | None) -> dict[str, Any] | None:
    """The note of a running training with its time as a time."""
    if note is None or "since" not in note:
        return note
    return note | {"since": datetime.fromisoformat(note["since"])}
