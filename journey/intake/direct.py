"""Writes rows that are probably all new straight into their table, at the speed of the bare driver."""

from __future__ import annotations

import polars as pl
import psycopg
from sqlalchemy import Connection

from journey.intake.checking import ROW
from journey.intake.layout import Layout
from journey.intake.staging import for_driver, raw_connection, write_rows

SMALL = 1000  # rows for which a failed attempt costs more than the detour it would have saved


def insert_directly(connection: Connection, layout: Layout, frame: pl.DataFrame) -> int | None:
    """Insert the rows whose keys are new; returns how many, or None where nothing was written.

    SQLite skips known keys row by row. PostgreSQL's COPY cannot: it is tried behind a savepoint, and where it meets a
    known key the batch has to take the way over the temporary table.
    """
    if layout.constants:
        return None
    rows = frame.drop(ROW)
    if connection.dialect.name != "postgresql":
        names = ", ".join(f'"{name}"' for name in rows.columns)
        marks = ", ".join("?" * rows.width)
        cursor = raw_connection(connection).executemany(
            f"INSERT INTO {layout.table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            for_driver(rows).iter_rows(),
        )
        return int(cursor.rowcount)
    if frame.height < SMALL or _known_already(connection, layout, rows):
        return None
    savepoint = connection.begin_nested()
    try:
        write_rows(connection, layout.table.name, rows)
    except psycopg.errors.UniqueViolation:
        savepoint.rollback()
        return None
    savepoint.commit()
    return frame.height


def _known_already(connection: Connection, layout: Layout, rows: pl.DataFrame) -> bool:
    """Whether keys repeat within the rows, or a few of them, from the first to the last, are in the table."""
    keys = rows.select(layout.keys)
    if keys.is_duplicated().any():
        return True
    few = keys[[0, keys.height // 2, keys.height - 1]]
    match = " AND ".join(f'"{key}" = %s' for key in layout.keys)
    asked = f"SELECT 1 FROM {layout.table.name} WHERE {match}"
    return any(connection.exec_driver_sql(asked, key).first() is not None for key in few.iter_rows())
