"""What the models' pages share: the registry of this installation, manifests with times, and the audit of acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import caller
from clerk_ui.database_sessions import request_time, writing
from journey.audit import record_act
from recommender.registry import Registry


def registry() -> Registry:
    """The registry under the home folder."""
    return Registry(settings().storage.home)


def readable(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest with its times as times, and its figures at hand."""
    times = {name: datetime.fromisoformat(manifest[name]) for name in ("created_at", "cut_off") if name in manifest}
    metrics = manifest.get("metrics", {})
    return manifest | times | {"metrics": metrics, "guard": metrics.get("guard")}


def audit(action: str, version: str, **detail: Any) -> None:
    """Leave an act of the signed-in person on a version in the audit log."""
    person = caller().person
    assert person is not None
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{person.account_id}", action=action, subject_kind="model",
            subject_id=version, detail={"address": request.path} | detail,
        )  # fmt: skip
