"""Kept results at the edge: making them anew without holding the database, reading them for a page, and as a file."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from analytics.kept import KEPT, compute
from clerk_ui.management import harmless
from clerk_ui.settings import Settings, variables
from journey.analysis_results import keep_result
from journey.database import reading, writing


def refresh(
    engine: Engine,
    *,
    now: datetime,
    timezone: str,
    kinds: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Make the results of these analyses (none named: all) anew; returns what was made and how long it took.

    Each is computed while reading and kept in a short transaction of its own, so that the tills never wait for it.
    """
    made = []
    for kind in kinds or tuple(KEPT):
        for parameters in KEPT[kind].variants:
            progress(f"{kind} {parameters or ''}".strip())
            with reading(engine) as session:
                found = compute(session, kind, parameters, now=now, timezone=timezone)
            with writing(engine) as session:
                keep_result(
                    session, kind, parameters, found.document, rows=as_csv(found.rows), computed_at=now,
                    seconds=found.seconds, names_persons=KEPT[kind].names_persons,
                )  # fmt: skip
            made.append({"rollup": kind, **parameters, "rows": len(found.rows), "seconds": round(found.seconds, 2)})
    return made


def refresh_in_background(settings: Settings) -> None:
    """Start ``osusume rollup`` for the CX analyses beside this server; the page says when the results are there."""
    environment = {}
    for variable, (section, field) in variables().items():
        value = getattr(getattr(settings, section), field)
        environment[variable] = str(value).lower() if isinstance(value, bool) else str(value)
    subprocess.Popen(
        [sys.executable, "-c", "from clerk_ui.commands import main; main()", "rollup", "cx"],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def as_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as CSV that spreadsheet programs read; what is a list or an object becomes JSON in its cell."""
    rows = list(rows)
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
    return ("\ufeff" + text.getvalue()).encode()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return harmless(value)
