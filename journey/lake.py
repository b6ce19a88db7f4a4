"""The lake: the facts as Parquet by day, written incrementally from the database, and rebuilt by deleting it.

``HOME/lake/TABLE/YYYY-MM-DD.parquet`` holds one day of a fact (the store's own day for pos_lines, UTC's for the
others), ``HOME/lake/TABLE/all.parquet`` a master table; ``manifest.json`` tells which state of each day is written.
Any Parquet reader takes the folders as they are.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, select

from journey.errors import InputError
from journey.fact_days import WHOLE, FactDay
from journey.lake_reading import read_days, read_whole
from journey.lake_tables import FACTS, MASTERS, TABLES, LakeTable
from journey.stores import DEFAULT_TIMEZONE

FORMAT = 1
ROWS_AT_ONCE = 300_000
EPOCH = date(1970, 1, 1)


@dataclass
class LakeSummary:
    """What a refresh wrote: ``days`` per fact table, master ``tables``, rows in all."""

    days: dict[str, int] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    rows: int = 0
    seconds: float = 0.0


def refresh(engine: Engine, home: Path, *, timezone: str = DEFAULT_TIMEZONE, rebuild: bool = False) -> LakeSummary:
    """Write the days that changed since this lake was last written: late rows, links, merges and erasures as well.

    Args:
        engine: the record.
        home: the folder that holds ``lake``.
        timezone: the chain's zone, for local days where no store tells another one.
        rebuild: write everything anew.
    """
    started = time.perf_counter()
    lake = home / "lake"
    lake.mkdir(parents=True, exist_ok=True)
    summary = LakeSummary()
    with _locked(lake), engine.connect() as connection:
        manifest = {} if rebuild else _manifest(lake, timezone)
        for table in FACTS:
            _refresh_fact(connection, lake, table, manifest.setdefault(table.name, {}), summary, timezone)
        # tokens are read before the rows: what changes in between is written again next time
        tokens = _tokens(connection)
        for table in MASTERS:
            state: list[Any] = [tokens.get(table.name, {}).get(str(WHOLE))]
            if table.signature:
                state += [float(value or 0) for value in connection.exec_driver_sql(table.signatures()).one()]
            path = lake / table.name / "all.parquet"
            if not path.exists() or manifest.get(table.name) != {str(WHOLE): state}:
                summary.rows += _write(path, read_whole(connection, table))
                summary.tables.append(table.name)
                manifest[table.name] = {str(WHOLE): state}
        _save(lake, manifest, timezone)
    summary.seconds = time.perf_counter() - started
    return summary


def scan(home: Path, table: str) -> pl.LazyFrame:
    """A table of the lake, lazily; empty where the record has nothing of it.

    Times are Datetime("us", "UTC"), money Float64, ``local_day`` Int32 days since 1970-01-01, ids and categories
    String. ``outcomes`` are the current ones, each with what its suggestion was (customer, store, product, …).

    Raises:
        InputError: the lake has no such table.
    """
    if table not in TABLES:
        raise InputError(f"no table {table!r} in the lake", what_to_do=f"use one of {', '.join(TABLES)}")
    folder = home / "lake" / table
    if not folder.is_dir() or not any(folder.glob("*.parquet")):
        frame = pl.LazyFrame(schema=TABLES[table].schema)
    else:
        frame = pl.scan_parquet(folder / "*.parquet")
    if table != "outcomes":
        return frame
    shown = scan(home, "suggestions").rename({"clerk_id": "shown_to", "kind": "suggestion_kind"})
    return frame.join(shown, on="suggestion_id", how="left")


def _refresh_fact(
    connection: Connection, lake: Path, table: LakeTable, written: dict[str, Any], summary: LakeSummary, zone: str
) -> None:
    states = _states(connection, table)
    changed = sorted(int(day) for day, state in states.items() if written.get(day) != state)
    folder = lake / table.name
    for first, last in _runs(changed, _days_at_once(connection, table, len(states))):
        frames = read_days(connection, table, first, last, zone)
        for day in range(first, last + 1):
            if str(day) not in states or written.get(str(day)) == states[str(day)]:
                continue
            path = folder / f"{EPOCH + timedelta(days=day)}.parquet"
            frame = frames.get(day)
            if frame is None:
                path.unlink(missing_ok=True)
            else:
                summary.rows += _write(path, frame)
            written[str(day)] = states[str(day)]
            summary.days[table.name] = summary.days.get(table.name, 0) + 1
    for gone in set(written) - set(states):  # another database than last time
        (folder / f"{EPOCH + timedelta(days=int(gone))}.parquet").unlink(missing_ok=True)
        del written[gone]


def _states(connection: Connection, table: LakeTable) -> dict[str, Any]:
    """Every day of a fact with a value that changes whenever the day does."""
    tokens = _tokens(connection, table.name).get(table.name, {})
    if not table.signature:
        return dict(tokens)
    days = {str(row[0]): [int(value) for value in row[1:]] for row in connection.exec_driver_sql(table.signatures())}
    return {day: [tokens.get(day, 0), *days.get(day, [])] for day in {*tokens, *days}}


def _tokens(connection: Connection, table: str | None = None) -> dict[str, dict[str, int]]:
    query = select(FactDay.table_name, FactDay.day, FactDay.token)
    found: dict[str, dict[str, int]] = {}
    for name, day, token in connection.execute(query if table is None else query.where(FactDay.table_name == table)):
        found.setdefault(name, {})[str(day)] = token
    return found


def _days_at_once(connection: Connection, table: LakeTable, days: int) -> int:
    """How many days to read in one query, so that memory stays bounded and small days cost little."""
    rows = int(connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one())
    return max(1, min(366, ROWS_AT_ONCE * max(days, 1) // max(rows, 1)))


def _runs(days: Iterable[int], longest: int) -> Iterator[tuple[int, int]]:
    """Neighbouring days as (first, last), none longer than ``longest``."""
    first = last = None
    for day in days:
        if first is not None and last is not None and (day > last + 1 or day - first >= longest):
            yield first, last
            first = None
        first = day if first is None else first
        last = day
    if first is not None and last is not None:
        yield first, last


def _write(path: Path, frame: pl.DataFrame) -> int:
    """Write a file whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    frame.write_parquet(unfinished, compression="zstd", statistics=True)
    os.replace(unfinished, path)
    return frame.height


@contextmanager
def _locked(lake: Path) -> Iterator[None]:
    """One writer at a time; a second one waits and then finds little to do."""
    with (lake / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _manifest(lake: Path, timezone: str) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads((lake / "manifest.json").read_text())
    except (FileNotFoundError, ValueError):
        found = {}
    if found.get("format") != FORMAT or found.get("timezone") != timezone:
        for table in TABLES:  # unknown files must not be scanned beside new ones
            shutil.rmtree(lake / table, ignore_errors=True)
        return {}
    tables: dict[str, dict[str, Any]] = found["tables"]
    return tables


def _save(lake: Path, manifest: dict[str, dict[str, Any]], timezone: str) -> None:
    unfinished = lake / "manifest.unfinished"
    unfinished.write_text(json.dumps({"format": FORMAT, "timezone": timezone, "tables": manifest}))
    os.replace(unfinished, lake / "manifest.json")
