"""The models page: which version serves, how good each one is, promotion and rollback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.languages import t
from clerk_ui.management import frame, signed_in
from clerk_ui.security import require_form_token
from journey.audit import record_act
from journey.errors import Conflict, ModelRefused, NotFound, Unavailable
from recommender.registry import Registry

blueprint = APIBlueprint("models", "clerk_ui.coe", enable_openapi=False)
SHOWN = 30


@blueprint.get("/coe/")
@require_role("coe")
def page() -> str:
    """The page."""
    return _page("")


@blueprint.post("/coe/models/<version>/promotion")
@require_role("coe")
def promote(version: str) -> str | Response | tuple[str, int]:
    """Put a version into use; a worse one is refused and the page says by how much."""
    require_form_token()
    registry = _registry()
    try:
        registry.promote(version, now=request_time(), by=signed_in().account_id)
    except ModelRefused as refused:
        return _page(
            t("coe.refused", **{name: refused.facts[name] for name in ("metric", "candidate", "current")})
        ), 409
    except (NotFound, Unavailable) as error:
        return _page(error.sentence), 409
    _audit("model.promoted", version)
    return redirect("/coe/", 303)


@blueprint.post("/coe/models/rollback")
@require_role("coe")
def rollback() -> str | Response | tuple[str, int]:
    """Return to the version that served before."""
    require_form_token()
    try:
        version = _registry().rollback(now=request_time(), by=signed_in().account_id)
    except Conflict:
        return _page(t("coe.nothing_before")), 409
    _audit("model.rolled_back", version)
    return redirect("/coe/", 303)


def _page(message: str) -> str:
    registry = _registry()
    versions = [_readable(version) for version in reversed(registry.versions())]
    return render_template(
        "coe/models.html",
        **frame("models"),
        message=message,
        versions=versions[:SHOWN],
        more=len(versions) - SHOWN,
        current=next((version for version in versions if version["current"]), None),
        can_roll_back=bool(registry.earlier_versions()),
        history=[entry | {"at": datetime.fromisoformat(entry["at"])} for entry in reversed(registry.history()[-10:])],
    )


def _readable(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest with its times as times."""
    times = {name: datetime.fromisoformat(manifest[name]) for name in ("created_at", "cut_off") if name in manifest}
    return manifest | times | {"guard": manifest.get("metrics", {}).get("guard")}


def _registry() -> Registry:
    with current_app.app_context():
        return Registry(settings().storage.home)


def _audit(action: str, version: str) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action,
            subject_kind="model", subject_id=version, detail={"address": request.path},
        )  # fmt: skip
