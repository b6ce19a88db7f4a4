"""The data page: how fresh each kind of fact is, and which rows were kept out and why."""

from __future__ import annotations

import json

from apiflask import APIBlueprint
from flask import Response, render_template, request

from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.languages import t
from clerk_ui.management import csv_file, frame
from journey.freshness import freshness
from journey.intake.ledger import recent_runs
from journey.intake.quarantine import count_by_table, list_rows

blueprint = APIBlueprint("data", "clerk_ui.coe", enable_openapi=False)
SHOWN = 50


@blueprint.get("/coe/data")
@require_role("coe")
def page() -> str:
    """The page."""
    table = request.args.get("table") or None
    session = reading()
    counts = count_by_table(session)
    facts = freshness(session, now=request_time())
    return render_template(
        "coe/data.html",
        **frame("data"),
        facts=facts,
        stale_names=[t(f"coe.table_{fact.table}") for fact in facts if fact.stale],
        nothing=not any(fact.rows for fact in facts),
        counts=counts,
        kept_out=sum(count["rows"] for count in counts),
        table=table,
        rows=[(row, json.dumps(row.raw, ensure_ascii=False)) for row in list_rows(session, table=table, limit=SHOWN)],
        runs=recent_runs(session, 10),
    )


@blueprint.get("/coe/quarantine.csv")
@require_role("coe")
def download() -> Response:
    """All open rows of the quarantine as a file."""
    rows = list_rows(reading(), table=request.args.get("table") or None)
    columns = ("row_id", "table_name", "file", "line", "kind", "reason", "raw", "kept_at")
    documents = (
        {name: getattr(row, name) for name in columns} | {"raw": json.dumps(row.raw, ensure_ascii=False)}
        for row in rows
    )
    return csv_file("quarantine", columns, documents)
