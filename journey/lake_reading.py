"""Reads rows of the record into frames with the lake's types, the fast way of each database."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from journey.lake_tables import COUNT, DATE, INSTANT, SCALE, LakeTable
from journey.local_days import zone as zone_info
from journey.stores import Store


def read_days(
    connection: Connection, table: LakeTable, first: int, last: int, timezone: str
) -> dict[int, pl.DataFrame]:
    """The rows of days ``first`` to ``last``, by the day they are filed under."""
    frame = _read(connection, table, table.query(first, last))
    filed = frame["local_day"] if table.name == "pos_lines" else frame[table.time].dt.date().to_physical()
    if table.local_day:
        frame = frame.with_columns(local_day=_local_days(connection, frame, table.time, timezone))
    parts = frame.with_columns(_filed=filed).sort(table.time).partition_by("_filed", as_dict=True, include_key=False)
    return {int(str(day)): part for (day,), part in parts.items()}


def read_whole(connection: Connection, table: LakeTable) -> pl.DataFrame:
    """All rows of a master table."""
    frame = _read(connection, table, table.query(0, 0))
    return frame.sort(frame.columns[:2])


def _read(connection: Connection, table: LakeTable, query: str) -> pl.DataFrame:
    stored = {name: _stored(dtype, name in table.money) for name, dtype in table.columns.items()}
    postgres = connection.dialect.name == "postgresql"
    frame = _copy(connection, query, stored) if postgres else _fetch(connection, query, stored)
    return frame.select(_typed(name, dtype, name in table.money) for name, dtype in table.columns.items())


def _typed(name: str, dtype: Any, money: bool) -> pl.Expr:
    if money:
        return (pl.col(name) / SCALE).cast(dtype)
    return pl.col(name).str.to_date("%Y-%m-%d") if dtype == DATE else pl.col(name).cast(dtype)


def _stored(dtype: Any, money: bool) -> Any:
    """The type in which the database hands a column over."""
    if money or dtype in (INSTANT, COUNT):
        return pl.Int64()
    return pl.String() if dtype == DATE else dtype


def _copy(connection: Connection, query: str, stored: dict[str, Any]) -> pl.DataFrame:
    received = io.BytesIO()
    raw: Any = connection.connection.driver_connection
    text = {name: pl.String() if dtype == pl.Boolean else dtype for name, dtype in stored.items()}
    with raw.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for piece in copy:
            received.write(piece)
    if not received.tell():
        return pl.DataFrame(schema=stored)
    received.seek(0)
    frame = pl.read_csv(received, has_header=False, schema=text)
    yes_no = [name for name, dtype in stored.items() if dtype == pl.Boolean]
    return frame.with_columns(pl.col(name) == "t" for name in yes_no)


def _fetch(connection: Connection, query: str, stored: dict[str, Any]) -> pl.DataFrame:
    raw: Any = connection.connection.driver_connection
    rows = raw.execute(query).fetchall()
    columns = zip(*rows, strict=True) if rows else ((),) * len(stored)
    series = []
    for (name, dtype), values in zip(stored.items(), columns, strict=True):
        kept = pl.Int64() if dtype == pl.Boolean else dtype
        series.append(pl.Series(name, values, dtype=kept, strict=False).cast(dtype))
    return pl.DataFrame(series)


def _local_days(connection: Connection, frame: pl.DataFrame, time: str, timezone: str) -> pl.Series:
    """Days on the store's calendar, on the chain's where no store is named."""
    default = zone_info(timezone).key
    if "store_id" not in frame.columns:
        return frame[time].dt.convert_time_zone(default).dt.date().to_physical()
    rows = connection.execute(select(Store.store_id, Store.timezone))
    zones = {store: zone_info(name, default).key for store, name in rows}
    days = pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    of_row = frame["store_id"].replace_strict(zones, default=default, return_dtype=pl.String) if zones else None
    for name in set(zones.values()) or {default}:
        here = frame[time].dt.convert_time_zone(name).dt.date().to_physical()
        days = here if of_row is None else here.zip_with((of_row == name).fill_null(False), days)
    return days
