"""What the pages of kept analyses share: the result with its time, its file, and making all of them anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, redirect, request
from werkzeug.wrappers import Response as Redirect

from analytics.kept import KEPT
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.kept_results import refresh_in_background
from clerk_ui.management import signed_in
from clerk_ui.security import require_form_token
from journey.analysis_results import Stored, stored_result, stored_rows
from journey.audit import last_act, record_act
from journey.errors import NotFound

blueprint = APIBlueprint("kept", "clerk_ui.coe", enable_openapi=False)
STALE = timedelta(days=2)
AT_MOST_EVERY = timedelta(minutes=2)
REFRESHED = "analysis.refreshed"


def kept(kind: str, **parameters: Any) -> Stored | None:
    """The kept result of an analysis; None where it was not made yet."""
    return stored_result(reading(), kind, parameters)


def as_of(stored: Stored | None) -> dict[str, Any]:
    """What a page says about the age of its figures."""
    if stored is None:
        return {"stored": None, "stale": False}
    return {"stored": stored, "stale": request_time() - stored.computed_at > STALE}


@blueprint.get("/coe/results/<kind>.csv")
@require_role("coe")
def download(kind: str) -> Response:
    """All rows of a kept analysis; ``kgi`` names a variant of the drivers."""
    variant = {"kgi": request.args["kgi"]} if request.args.get("kgi") else {}
    rows = stored_rows(reading(), kind, variant) if kind in KEPT else None
    if rows is None:
        raise NotFound(f"no rows of {kind!r} are kept", where="kind", what_to_do="make the results first")
    if KEPT[kind].names_persons:
        _audit("analysis.exported", kind)
    response = Response(rows, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response


@blueprint.post("/coe/results/refresh")
@require_role("coe")
def refresh() -> Redirect:
    """Make all results anew beside the server; the page they come from says when they are there."""
    require_form_token()
    newest = last_act(reading(), REFRESHED)
    if newest is None or request_time() - newest > AT_MOST_EVERY:
        _audit(REFRESHED, "all")
        refresh_in_background(settings())
    destination = request.form.get("from", "/coe/cx")
    known = destination.startswith("/coe/") and destination.isprintable() and "\\" not in destination
    return redirect((destination if known else "/coe/cx").split("?")[0] + "?refreshing=1", 303)


def _audit(action: str, kind: str) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action,
            subject_kind="analysis", subject_id=kind,
        )  # fmt: skip
