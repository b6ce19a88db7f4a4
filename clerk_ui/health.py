"""Liveness, readiness with each part's state, and metrics."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from clerk_ui import metrics, recommendations
from clerk_ui.database_sessions import engine_of
from clerk_ui.field_types import Document
from clerk_ui.openapi import Responses, answers
from journey.errors import OsusumeError
from journey.schema import current_revision, newest_revision

METRICS_ANSWER: Responses = {
    200: {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
blueprint = APIBlueprint("health", __name__, tag="Operation")


class Alive(Document):
    """The process answers."""

    status: str


class PartState(Document):
    """One part: ``ok``, ``degraded`` (suggestions are slower or plainer) or ``down`` (not ready)."""

    state: str
    detail: str


class Readiness(Document):
    """Whether requests should be sent here, and how each part is."""

    ready: bool
    parts: dict[str, PartState]


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@blueprint.output(Alive)
@blueprint.doc(operation_id="healthz")
def healthz() -> dict[str, str]:
    """Liveness: the process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@blueprint.output(Readiness)
@blueprint.doc(operation_id="readyz", responses=answers({503: ("a part that must answer does not", "Readiness")}))
def readyz() -> Response:
    """Readiness with each part's state. Only the database is indispensable: outcomes are never refused for less."""
    parts: dict[str, dict[str, Any]] = {"database": _database(), **recommendations.states()}
    ready = all(part["state"] != "down" for part in parts.values())
    response = jsonify({"ready": ready, "parts": parts})
    response.status_code = 200 if ready else 503
    return response


@blueprint.get("/metrics")
@blueprint.doc(
    operation_id="metrics",
    responses=METRICS_ANSWER,
)
def metrics_page() -> Response:
    """Metrics of all workers in Prometheus' text format; holds counts and times, no data of people."""
    body, content_type = metrics.exposition()
    return Response(body, content_type=content_type)


def _database() -> dict[str, str]:
    try:
        found = current_revision(engine_of(current_app))
    except (SQLAlchemyError, OsusumeError) as error:
        return {"state": "down", "detail": type(error).__name__}
    if found != newest_revision():
        return {"state": "down", "detail": f"schema {found}, not {newest_revision()}"}
    return {"state": "ok", "detail": f"schema {found}"}
