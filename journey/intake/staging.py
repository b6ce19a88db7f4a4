"""A temporary table that a batch is written into, so that merging it is plain SQL on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Boolean, Connection, Date, Float, Integer, Table
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

STAGE = "osusume_stage"
COPY_PIECE = 50_000


def raw_connection(connection: Connection) -> Any:
    """The driver's own connection (sqlite3 or psycopg), inside the same transaction."""
    return connection.connection.driver_connection


def for_driver(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with dates as the text that SQLAlchemy keeps on SQLite."""
    dates = [name for name, dtype in frame.schema.items() if dtype == pl.Date]
    return frame.with_columns(pl.col(dates).dt.to_string("iso:strict")) if dates else frame


def write_rows(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    """Write a frame into a table as it is, the fastest way the driver has: COPY, or executemany."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    if connection.dialect.name == "postgresql":
        copying = f"COPY {table} ({names}) FROM STDIN (FORMAT csv)"
        with raw_connection(connection).cursor() as cursor, cursor.copy(copying) as copy:
            for piece in frame.iter_slices(COPY_PIECE):
                copy.write(piece.write_csv(include_header=False))
        return
    marks = ", ".join("?" * frame.width)
    sqlite = raw_connection(connection)
    sqlite.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", for_driver(frame).iter_rows())


class Stage:
    """The temporary table of one record table; dropped with the transaction or by ``drop``."""

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        self.connection, self.columns = connection, list(columns)
        self.name = STAGE
        postgres = connection.dialect.name == "postgresql"
        types = [f'"{name}" {_type(table.c[name].type) if postgres else ""}' for name in self.columns]
        self.drop()
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {self.name} (n INTEGER, {', '.join(types)})" + (" ON COMMIT DROP" * postgres)
        )

    def fill(self, frame: pl.DataFrame) -> None:
        """Replace what is staged; the frame has ``n`` and the stage's columns."""
        verb = "TRUNCATE" if self.connection.dialect.name == "postgresql" else "DELETE FROM"
        self.connection.exec_driver_sql(f"{verb} {self.name}")
        write_rows(self.connection, self.name, frame.select("n", *self.columns))

    def drop(self) -> None:
        """Remove the temporary table."""
        self.connection.exec_driver_sql(f"DROP TABLE IF EXISTS {self.name}")


def _type(kind: TypeEngine[Any]) -> str:
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    for python, name in (
        (BigInteger, "BIGINT"),
        (Integer, "INTEGER"),
        (Float, "DOUBLE PRECISION"),
        (Boolean, "BOOLEAN"),
        (Date, "DATE"),
        (JSON, "JSON"),
    ):
        if isinstance(kind, python):
            return name
    return "TEXT"
