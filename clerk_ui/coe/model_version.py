"""One model version: for whom it is how good, what would change for customers, and its promotion."""

from __future__ import annotations

from typing import Any

import numpy as np
from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.model_registry import audit, readable, registry
from clerk_ui.coe.models import models_page
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.languages import t
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.customers import present_customers, profiling_refused
from journey.errors import ModelRefused, NotFound, Unavailable
from journey.products import product_names
from journey.stores import stores

blueprint = APIBlueprint("model_version", "clerk_ui.coe", enable_openapi=False)
KINDS = ("all", "repeat", "explore")
DIMENSIONS = ("history", "tier", "store", "category")
COLUMNS = ("dimension", "segment", "kind", "metric", "n", "value", "low", "high", "current")
LOWEST = 0.0005  # where the scale of the reliability diagram begins
SHORTEST_WHY = 5


@blueprint.get("/coe/models/<version>")
@require_role("coe")
def page(version: str) -> str:
    """How good the version is, for whom; ``current`` is the one that serves."""
    found = registry()
    if version == "current":
        version = found.current_version() or version
    manifest = readable(found.show(version))
    serving = _serving(version)
    kind = request.args.get("kind", "all")
    kind = kind if kind in KINDS else "all"
    metrics = manifest["metrics"]
    return render_template(
        "coe/model_version.html",
        **frame("models"),
        version=manifest,
        serving=serving,
        kind=kind,
        kinds=KINDS,
        overall=_overall(metrics),
        dimensions={name: rows for name in DIMENSIONS if (rows := segments(metrics, serving, name, kind))},
        concentration=metrics.get("concentration"),
        bins=[placed(bin) for bin in metrics.get("reliability", [])],
        bin_rows=metrics.get("reliability", []),
        ticks=[(_place(value), label) for value, label in ((0.001, "0.1%"), (0.01, "1%"), (0.1, "10%"), (1.0, "100%"))],
        cold=metrics.get("cold_start"),
        seconds=sum(manifest.get("stage_seconds", {}).values()),
    )


@blueprint.get("/coe/models/<version>/segments.csv")
@require_role("coe")
def download(version: str) -> Response:
    """Every segment's figures, and those of the version that serves beside them."""
    metrics, serving = registry().show(version)["metrics"], _serving(version)
    old = _by_segment(serving["metrics"]) if serving else {}
    rows = []
    for key, entry in _by_segment(metrics).items():
        for kind in KINDS:
            for name, figure in (entry.get(kind) or {}).items():
                if isinstance(figure, dict):
                    before = (old.get(key, {}).get(kind) or {}).get(name) or {}
                    row = {"dimension": key[0], "segment": key[1], "kind": kind, "metric": name, "n": entry[kind]["n"]}
                    rows.append(row | figure | {"current": before.get("value")})
    return csv_file(f"segments-{version}", COLUMNS, rows)


@blueprint.get("/coe/models/<version>/changes")
@require_role("coe")
def changes(version: str) -> str:
    """What would change for ten customers, list beside list."""
    return _changes_page(version, None)


@blueprint.post("/coe/models/<version>/promotion")
@require_role("coe")
def promote(version: str) -> str | Response | tuple[str, int]:
    """Put a version into use; a worse one is refused by how much, and needs a reason to be forced."""
    require_form_token()
    from recommender.guard import fresh_comparison

    found = registry()
    force, why = request.form.get("force") == "1", request.form.get("why", "").strip()
    if force and len(why) < SHORTEST_WHY:
        return _changes_page(version, {"message": t("models.why_needed")}), 400
    try:
        comparison = fresh_comparison(found, version, settings().storage.home)
        found.promote(
            version, now=request_time(), by=signed_in().account_id, force=force, why=why, comparison=comparison
        )
    except ModelRefused as refused:
        audit("model.refused", version, **refused.facts)
        figures = {name: refused.facts[name] for name in ("metric", "candidate", "current")}
        return _changes_page(version, {"message": t("coe.refused", **figures), "refused": True}), 409
    except (NotFound, Unavailable) as error:
        return models_page(error.sentence), 409
    audit("model.promoted", version, force=force, why=why)
    return redirect("/coe/", 303)


def _changes_page(version: str, trouble: dict[str, Any] | None) -> str:
    from recommender import preview

    found = registry()
    manifest, current = readable(found.show(version)), found.current_version()
    context: dict[str, Any] = {"changes": [], "turnover": None, "names": {}}
    if current is not None and current != version:
        candidate, serving = found.load(version), found.load(current)
        session = reading()
        refused = settings().chain.consent_default == "refused"
        usable = present_customers(session) - profiling_refused(session, by_default=refused)
        many = preview.sample(candidate, serving, present=usable, many=preview.MANY, salt=version)
        context = {
            "changes": preview.changes(candidate, serving, many[: preview.SAMPLE]),
            "turnover": preview.turnover(candidate, serving, many),
            "names": product_names(session),
        }
        audit("model.previewed", version, customers=[change.customer_id for change in context["changes"]])
    return render_template(
        "coe/model_changes.html", **frame("models"), version=manifest, serving=current, trouble=trouble, **context
    )


def _serving(version: str) -> dict[str, Any] | None:
    """The manifest of the version that serves, where that is another one."""
    found = registry()
    current = found.current_version()
    if current in (None, version):
        return None
    try:
        return readable(found.show(str(current)))
    except (NotFound, Unavailable):
        return None


def _overall(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of the three lists over everybody; empty where too few came back for a validation."""
    entries = metrics.get("segments", {}).get("overall", [])
    return {kind: entries[0][kind] for kind in KINDS if entries and kind in entries[0]}


def segments(
    metrics: dict[str, Any], serving: dict[str, Any] | None, dimension: str, kind: str
) -> list[dict[str, Any]]:
    """The rows of one dimension: name, n, recall with its interval, and the serving version's beside it."""
    old = _by_segment(serving["metrics"]) if serving else {}
    rows = []
    for entry in metrics.get("segments", {}).get(dimension, []):
        if kind not in entry:
            continue
        before = (old.get((dimension, entry["segment"]), {}).get(kind) or {}).get("recall@10") or {}
        rows.append(
            {"name": _name(dimension, entry["segment"]), "n": entry[kind]["n"], "compared": before.get("value")}
            | entry[kind]["recall@10"]
        )
    return rows


def _by_segment(metrics: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (dimension, entry["segment"]): entry
        for dimension, entries in metrics.get("segments", {}).items()
        for entry in entries
    }


def _name(dimension: str, segment: str) -> str:
    """A segment as people read it: a store by its name, known words in the language of the page."""
    if dimension == "store":
        named = {store.store_id: store.name for store in stores(reading())}
        segment = named.get(segment) or segment
    ours = segment in ("other", "unknown") or dimension == "history"
    return t(f"models.segment_{segment}") if ours else segment


def placed(bin: dict[str, Any]) -> dict[str, Any]:
    """A bin of the reliability diagram with its places along the logarithmic scale."""
    places = {"x": _place(bin["stated"]), "y": _place(bin["observed"])}
    return bin | places | {"low": _place(bin["low"]), "high": _place(bin["high"])}


def _place(share: float) -> float:
    """Where a share stands between LOWEST (0) and one (1)."""
    return float(1 - np.log(max(share, LOWEST)) / np.log(LOWEST))
