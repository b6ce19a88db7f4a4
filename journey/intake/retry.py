"""Imports corrected rows of the quarantine, and settles those that got through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from journey.errors import InputError
from journey.intake import cells
from journey.intake.folder import Progress, import_sources, whole_or_nothing
from journey.intake.layout import Layout
from journey.intake.layouts import LAYOUTS
from journey.intake.ledger import QuarantinedRow
from journey.intake.quarantine import ID_COLUMN, OPEN, REPLACED, Rejected, open_keys, settle
from journey.intake.sources import SUFFIXES, Batch, open_source, table_files
from journey.intake.summary import ImportSummary
from journey.stores import DEFAULT_TIMEZONE


@dataclass
class RetrySummary:
    """What became of corrected rows: ``settled`` ones are in, ``replaced`` ones came in another form, still bad."""

    imported: ImportSummary
    settled: int = 0
    replaced: int = 0

    def as_json(self) -> dict[str, Any]:
        """One JSON document."""
        return {**self.imported.as_json(), "settled": self.settled, "replaced": self.replaced}


def retry(
    engine: Engine,
    path: Path,
    *,
    table: str | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> RetrySummary:
    """Import a corrected file, or a folder of them, and settle the rows of the quarantine that this mends.

    A row is known by its ``quarantine_id`` (as exported), else by its natural key.

    Args:
        engine: the record.
        path: a file as ``quarantine export`` writes it, or a folder of such files.
        table: the table of a file that is not named after it.
        timezone: the chain's zone.
        now: when this happens; the clock where it is not given.
        progress: called with table, rows done and rows in the file.

    Raises:
        InputError: nothing to read, or a table that there is not.
        UnreadableFile: a file cannot be read; nothing was imported.
    """
    now = now or datetime.now(UTC)
    files = table_files(path) if path.is_dir() else {_table_of(path, table): path}
    sources = [(LAYOUTS[name], open_source(file, LAYOUTS[name])) for name, file in files.items()]
    with whole_or_nothing(engine) as connection:
        settling = _Settling(connection, now)
        imported = import_sources(
            connection, sources, source=str(path), timezone=timezone, now=now, progress=progress,
            on_batch=settling.batch,
        )  # fmt: skip
        return RetrySummary(imported, settling.settled, settling.replaced)


def _table_of(path: Path, table: str | None) -> str:
    if not path.is_file():
        raise InputError("is not there", where=str(path), what_to_do="name the corrected file or its folder")
    if table is None:
        table = next((path.name.removesuffix(suffix) for suffix in SUFFIXES if path.name.endswith(suffix)), "")
    if table not in LAYOUTS:
        raise InputError(
            f"no table {table!r}", where=str(path), what_to_do=f"name the table; tables: {', '.join(LAYOUTS)}"
        )
    return table


@dataclass
class _Settling:
    """Settles rows batch by batch, in the transaction of the import."""

    connection: Connection
    now: datetime
    settled: int = 0
    replaced: int = 0
    _by_key: dict[str, dict[tuple[str, ...], list[int]]] = field(default_factory=dict)

    def batch(self, layout: Layout, batch: Batch, rejected: list[Rejected]) -> None:
        bad = {row.line: row for row in rejected}
        if ID_COLUMN in batch.frame.columns:
            ids = cells.as_text(batch.frame[ID_COLUMN]).to_list()
            pairs = [(int(i), line) for i, line in zip(ids, batch.lines.to_list(), strict=True) if i and i.isdigit()]
            self.settled += settle(self.connection, [i for i, line in pairs if line not in bad], now=self.now)
            self._replace({i: bad[line].raw for i, line in pairs if line in bad})
            return
        names = [column.name for column in layout.columns if column.key]
        if layout.name not in self._by_key:
            self._by_key[layout.name] = open_keys(self.connection, layout.name, tuple(names))
        waiting = self._by_key[layout.name]
        columns = [
            cells.as_text(batch.frame[name]).fill_null("").to_list()
            if name in batch.frame.columns
            else [""] * batch.frame.height
            for name in names
        ]
        mended: list[int] = []
        for line, *key in zip(batch.lines.to_list(), *columns, strict=True):
            if line not in bad:
                mended += waiting.pop(tuple(key), [])
        self.settled += settle(self.connection, mended, now=self.now)

    def _replace(self, again: dict[int, dict[str, Any]]) -> None:
        """A row that was changed and is still bad now waits in its new form only."""
        kept = self.connection.execute(
            select(QuarantinedRow.row_id, QuarantinedRow.raw).where(QuarantinedRow.row_id.in_(list(again)))
        )
        changed = [row_id for row_id, raw in kept if {k: v for k, v in raw.items() if v} != again[row_id]]
        if changed:
            self.replaced += self.connection.execute(
                update(QuarantinedRow)
                .where(QuarantinedRow.row_id.in_(changed), QuarantinedRow.state == OPEN)
                .values(state=REPLACED, settled_at=self.now)
            ).rowcount
