"""The rows kept out (保留データ): written with file, line, reason and raw row; listed, exported, settled."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from journey.intake.ledger import QuarantinedRow

OPEN, SETTLED, REPLACED = "open", "settled", "replaced"
BAD, CONFLICT = "bad", "conflict"
ID_COLUMN, REASON_COLUMN = "quarantine_id", "quarantine_reason"
PIECE = 1000


@dataclass(frozen=True)
class Rejected:
    """A row that was kept out: ``line`` in its file, ``kind`` bad or conflict."""

    line: int
    kind: str
    reason: str
    raw: dict[str, Any]


class QuarantineWriter:
    """Keeps rows of one table and file; a row that was kept before is not kept again.

    The digest is of the table and the row, and of how often the same row came before in this file: two equal bad
    rows of one file are both kept, the same file imported again adds nothing.
    """

    def __init__(self, connection: Connection, *, run_id: int, table: str, file: str, now: datetime) -> None:
        self.connection = connection
        self.common = {"run_id": run_id, "table_name": table, "file": file, "state": OPEN, "kept_at": now}
        self._times: dict[bytes, int] = {}

    def keep(self, rows: Iterable[Rejected]) -> None:
        """Write rows into the caller's transaction."""
        values = [
            {**self.common, "line": row.line, "kind": row.kind, "reason": row.reason, "raw": row.raw,
             "digest": self._digest(row)}
            for row in rows
        ]  # fmt: skip
        target = QuarantinedRow.__table__
        assert isinstance(target, Table)
        add = postgresql.insert if self.connection.dialect.name == "postgresql" else sqlite.insert
        for first in range(0, len(values), PIECE):
            self.connection.execute(add(target).on_conflict_do_nothing(), values[first : first + PIECE])

    def _digest(self, row: Rejected) -> str:
        body = json.dumps([self.common["table_name"], row.kind, row.raw], sort_keys=True).encode()
        seen = hashlib.sha256(body).digest()
        times = self._times[seen] = self._times.get(seen, 0) + 1
        return hashlib.sha256(seen + times.to_bytes(4)).hexdigest()


def list_rows(
    session: Session, *, table: str | None = None, state: str | None = OPEN, limit: int | None = None, offset: int = 0
) -> list[QuarantinedRow]:
    """Rows kept out, oldest first."""
    query = select(QuarantinedRow).order_by(QuarantinedRow.row_id).limit(limit).offset(offset)
    if table is not None:
        query = query.where(QuarantinedRow.table_name == table)
    if state is not None:
        query = query.where(QuarantinedRow.state == state)
    return list(session.scalars(query))


def count_by_table(session: Session, *, state: str = OPEN) -> list[dict[str, Any]]:
    """How many rows are kept out, per table and kind: ``[{table, kind, rows}]``."""
    query = (
        select(QuarantinedRow.table_name, QuarantinedRow.kind, func.count())
        .where(QuarantinedRow.state == state)
        .group_by(QuarantinedRow.table_name, QuarantinedRow.kind)
        .order_by(QuarantinedRow.table_name, QuarantinedRow.kind)
    )
    return [{"table": table, "kind": kind, "rows": rows} for table, kind, rows in session.execute(query)]


def export_rows(session: Session, folder: Path, *, table: str | None = None) -> dict[str, int]:
    """Write the open rows as ``folder/TABLE.csv``, to be corrected and handed to ``retry``.

    Each row carries its ``quarantine_id`` and ``quarantine_reason`` beside the cells as they came.

    Returns:
        How many rows were written, per table.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    for name in sorted({entry["table"] for entry in count_by_table(session)}):
        if table is not None and name != table:
            continue
        names: dict[str, None] = {}
        for row in _stream(session, name):
            names.update(dict.fromkeys(row.raw))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [ID_COLUMN, REASON_COLUMN, *names])
            writer.writeheader()
            for row in _stream(session, name):
                writer.writerow({ID_COLUMN: row.row_id, REASON_COLUMN: row.reason, **row.raw})
                written[name] = written.get(name, 0) + 1
    return written


def _stream(session: Session, table: str) -> Iterator[QuarantinedRow]:
    query = select(QuarantinedRow).where(QuarantinedRow.state == OPEN, QuarantinedRow.table_name == table)
    yield from session.scalars(query.order_by(QuarantinedRow.row_id).execution_options(yield_per=PIECE))


def settle(connection: Connection, row_ids: Iterable[int], *, now: datetime) -> int:
    """Mark rows as corrected and imported; returns how many were open."""
    ids = list(row_ids)
    settled = 0
    for first in range(0, len(ids), PIECE):
        settled += connection.execute(
            update(QuarantinedRow)
            .where(QuarantinedRow.row_id.in_(ids[first : first + PIECE]), QuarantinedRow.state == OPEN)
            .values(state=SETTLED, settled_at=now)
        ).rowcount
    return settled


def open_keys(connection: Connection, table: str, keys: tuple[str, ...]) -> dict[tuple[str, ...], list[int]]:
    """The open rows of a table by their natural key as it was delivered."""
    query = select(QuarantinedRow.row_id, QuarantinedRow.raw).where(
        QuarantinedRow.table_name == table, QuarantinedRow.state == OPEN
    )
    found: dict[tuple[str, ...], list[int]] = {}
    for row_id, raw in connection.execute(query):
        found.setdefault(tuple(str(raw.get(key) or "") for key in keys), []).append(row_id)
    return found
