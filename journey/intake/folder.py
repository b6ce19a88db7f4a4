"""Imports an extract folder in one transaction: all of it, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import OperationalError

from journey.database import WRITE, is_sqlite
from journey.errors import RejectedRows, Unavailable
from journey.intake.ahead import checked_ahead
from journey.intake.bulk import without_indexes
from journey.intake.known import Known
from journey.intake.layout import Layout
from journey.intake.layouts import LAYOUTS
from journey.intake.ledger import ImportRun
from journey.intake.loading import TableLoader
from journey.intake.quarantine import Rejected
from journey.intake.sources import Batch, Source, open_source, table_files
from journey.intake.summary import ImportSummary, TableSummary
from journey.intake.times import Zones
from journey.stores import DEFAULT_TIMEZONE, Store

Progress = Callable[[str, int, int | None], None]
REASONS_SHOWN = 20


def import_folder(
    engine: Engine,
    folder: Path,
    *,
    strict: bool = False,
    timezone: str = DEFAULT_TIMEZONE,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import every table of an extract folder.

    Args:
        engine: the record.
        folder: the folder with ``NAME.csv``, ``NAME.csv.gz`` or ``NAME.parquet`` files.
        strict: any row that would be kept out refuses the whole folder.
        timezone: the chain's zone, for times without an offset where no store tells another one.
        now: when this happens; the clock where it is not given.
        progress: called with table, rows done and rows in the file (None: unknown).

    Raises:
        InputError: there is no folder, or no table in it.
        UnreadableFile: a file cannot be read; nothing was imported.
        RejectedRows: ``strict``, and there were rows to keep out; nothing was imported.
        Unavailable: somebody else is writing to the same SQLite file.
    """
    now = now or datetime.now(UTC)
    # every header is looked at before the first row is written
    sources = [(LAYOUTS[table], open_source(path, LAYOUTS[table])) for table, path in table_files(folder).items()]
    with whole_or_nothing(engine) as connection:
        if is_sqlite(engine):
            connection.exec_driver_sql("PRAGMA cache_size=-262144")
        summary = import_sources(connection, sources, source=str(folder), timezone=timezone, now=now, progress=progress)
        if strict and summary.rejected:
            raise RejectedRows(
                f"{summary.rejected} rows would be kept out, so nothing was imported",
                where=str(folder),
                what_to_do="correct them, or import without --strict and see: osusume quarantine list",
                tables=[table.as_json() for table in summary.tables],
                reasons=summary.reasons,
            )
        connection.execute(
            update(ImportRun)
            .where(ImportRun.run_id == summary.run_id)
            .values(finished_at=datetime.now(UTC), summary={"tables": [table.as_json() for table in summary.tables]})
        )
    return summary


@contextmanager
def whole_or_nothing(engine: Engine) -> Iterator[Connection]:
    """One writing transaction.

    Raises:
        Unavailable: somebody else has been writing for too long (SQLite has one writer at a time).
    """
    try:
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            yield connection
    except OperationalError as problem:
        if "database is locked" not in str(problem.orig):
            raise
        raise Unavailable(
            "another import or task is writing to the database",
            where=engine.url.render_as_string(hide_password=True),
            what_to_do="wait until it is done, then try again; nothing was imported",
        ) from problem


def import_sources(
    connection: Connection,
    sources: list[tuple[Layout, Source]],
    *,
    source: str,
    timezone: str,
    now: datetime,
    progress: Progress | None = None,
    on_batch: Callable[[Layout, Batch, list[Rejected]], None] | None = None,
) -> ImportSummary:
    """Import opened files in order, in the caller's transaction.

    ``on_batch`` hears of each batch with those of its rows that were kept out.
    """
    run = connection.execute(insert(ImportRun).values(source=source, started_at=now)).inserted_primary_key
    assert run is not None
    summary = ImportSummary(source, run[0])
    known = Known(connection)
    for layout, opened in sources:
        started = time.perf_counter()
        loader = TableLoader(connection, layout, known, file=opened.name, run_id=summary.run_id, now=now)
        zones = Zones(timezone, store_zones(connection))
        with without_indexes(connection, layout, opened):
            for batch, checked in checked_ahead(layout, opened, zones):
                rejected = loader.load(batch, checked)
                room = REASONS_SHOWN - len(summary.reasons)
                summary.reasons += [
                    {"table": layout.name, "file": opened.name, "line": row.line, "reason": row.reason}
                    for row in rejected[: max(0, room)]
                ]
                if on_batch is not None:
                    on_batch(layout, batch, rejected)
                if progress is not None:
                    progress(layout.name, loader.summary.read, opened.total)
            loader.close()
        summary.relinked += loader.relinked
        summary.tables.append(_closed(loader.summary, layout, opened, started))
    return summary


def store_zones(connection: Connection) -> dict[str, str]:
    """The zones of the stores that have one of their own."""
    rows = connection.execute(select(Store.store_id, Store.timezone).where(Store.timezone.is_not(None)))
    return {store: zone for store, zone in rows if zone is not None}


def _closed(books: TableSummary, layout: Layout, opened: Source, started: float) -> TableSummary:
    books.unknown_columns = [name for name in opened.columns if name not in layout.by_name]
    books.seconds = time.perf_counter() - started
    return books
