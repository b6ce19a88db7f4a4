"""Takes rows that machines send over HTTP: the same checks as for files, at once and in the caller's transaction."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from journey.errors import InputError, NotFound, TooMany
from journey.intake.folder import store_zones
from journey.intake.known import Known
from journey.intake.layout import Layout
from journey.intake.layouts import LAYOUTS
from journey.intake.loading import TableLoader, check_batch
from journey.intake.plain_loading import load_plain, may_go_plainly
from journey.intake.plain_rows import read_plain
from journey.intake.sources import Batch, Broken
from journey.intake.times import Zones
from journey.stores import DEFAULT_TIMEZONE

MOST_ROWS = 1000
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class KeptOut:
    """A row that was not taken: its place in the request (from 0), whether it is bad or a conflict, and why."""

    index: int
    kind: str
    reason: str


@dataclass(frozen=True)
class RowsTaken:
    """What became of the rows of one request; what is not in ``kept_out`` is stored once the caller commits."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    kept_out: list[KeptOut] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """One JSON document."""
        return asdict(self)


def import_rows(
    session: Session,
    table: str,
    rows: Sequence[Any],
    *,
    source: str,
    now: datetime,
    timezone: str = DEFAULT_TIMEZONE,
    keep_rejected: bool = True,
) -> RowsTaken:
    """Bring up to 1,000 rows of one table into the record; rows that are there already are ignored.

    Args:
        session: a writing session; the caller commits.
        table: a table of the extract.
        rows: JSON objects with the columns of the table.
        source: what the quarantine names as the file, such as ``/api/events``.
        now: when this happens.
        timezone: the chain's zone, for times without an offset.
        keep_rejected: whether rows that are kept out go to the quarantine, too.

    Raises:
        NotFound: there is no such table.
        TooMany: more than 1,000 rows.
        InputError: ``rows`` is not a list.
    """
    layout = LAYOUTS.get(table)
    if layout is None:
        raise NotFound(f"no table {table!r}", where="table", what_to_do=f"use one of {', '.join(LAYOUTS)}")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InputError("is not a list of rows", where=table, what_to_do="send a list of JSON objects")
    if len(rows) > MOST_ROWS:
        raise TooMany(
            f"{len(rows)} rows at once", where=table, what_to_do=f"send at most {MOST_ROWS} a request", most=MOST_ROWS
        )
    session.flush()
    connection = session.connection()
    skipped: set[int] = set()
    inserted = 0
    if may_go_plainly(layout) and (plain := read_plain(layout, rows)) and plain.places:
        zones = Zones(timezone, store_zones(connection) if layout.name == "pos_lines" else {})
        inserted = load_plain(connection, layout, plain, zones)
        if inserted == len(plain.places):
            skipped.update(plain.places)
    unknown = list(set().union(*(row for row in rows if isinstance(row, dict))) - layout.by_name.keys())
    if len(skipped) == len(rows):
        return RowsTaken(len(rows), len(rows), 0, 0, [], sorted(unknown))
    batch = _batch(layout, [(place, row) for place, row in enumerate(rows) if place not in skipped])
    checked = check_batch(layout, batch, Zones(timezone, store_zones(connection)))
    loader = TableLoader(
        connection, layout, Known(connection), file=source, run_id=0, now=now, keep_rejected=keep_rejected
    )
    rejected = loader.load(batch, checked)
    loader.close()
    books = loader.summary
    kept_out = [KeptOut(row.line, row.kind, row.reason) for row in sorted(rejected, key=lambda row: row.line)]
    # what went in the short way beside rows that were there already was met again just now
    met_again = 0 if skipped else inserted
    return RowsTaken(
        len(rows), books.inserted + inserted, books.updated, books.unchanged - met_again, kept_out, sorted(unknown)
    )


def import_groups(
    session: Session,
    table: str,
    groups: Sequence[Sequence[Any]],
    *,
    source: str,
    now: datetime,
    timezone: str = DEFAULT_TIMEZONE,
) -> list[RowsTaken]:
    """The rows of several requests, each as `import_rows` takes them, in the caller's one transaction.

    Where all are plainly good and new, as nearly always, they go in together; else one request after the other.
    """
    together = [row for rows in groups for row in rows]
    if len(groups) > 1 and len(together) <= MOST_ROWS and may_go_plainly(LAYOUTS[table]):
        with session.begin_nested() as attempt:
            taken = import_rows(session, table, together, source=source, now=now, timezone=timezone)
            if taken.inserted == len(together):
                known = LAYOUTS[table].by_name.keys()
                return [
                    RowsTaken(len(rows), len(rows), 0, 0, [], sorted(set().union(*rows) - known)) for rows in groups
                ]
            attempt.rollback()
    return [import_rows(session, table, rows, source=source, now=now, timezone=timezone) for rows in groups]


def _batch(layout: Layout, rows: Sequence[tuple[int, Any]]) -> Batch:
    """Rows with their places in the request as text columns."""
    objects = [(place, row) for place, row in rows if isinstance(row, dict)]
    broken = [
        Broken(place, "is not a JSON object", {"row": json.dumps(row, default=str)})
        for place, row in rows
        if not isinstance(row, dict)
    ]
    given = {name for _, row in objects for name in row}
    names = [column.name for column in layout.columns if column.required or column.name in given]
    columns = [pl.Series(name, [_text(row.get(name)) for _, row in objects], dtype=pl.String) for name in names]
    return Batch(pl.DataFrame(columns), pl.Series([place for place, _ in objects], dtype=pl.Int64), broken)


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, str):
        # half of a surrogate pair is no text; as NUL it is refused with a reason
        return cell if cell.isascii() else SURROGATE.sub("\x00", cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return json.dumps(cell, default=str) if isinstance(cell, dict | list) else str(cell)
