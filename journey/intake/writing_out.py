"""Writes the record as an extract folder that, imported into an empty database, gives the same record again."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, Integer

from journey.database import MONEY_SCALE
from journey.errors import InputError
from journey.intake import cells
from journey.intake.layout import Column, Kind, Layout
from journey.intake.layouts import LAYOUTS
from journey.intake.sources import SUFFIXES

PIECE = 100_000
Progress = Callable[[str, int, int | None], None]


def export(engine: Engine, folder: Path, *, compress: bool = False, progress: Progress | None = None) -> dict[str, int]:
    """Write every table that has rows as ``NAME.csv`` (or ``NAME.csv.gz``), sorted by key.

    Facts say what was delivered, not what it resolved to; merges are a table of their own. Stubs are left out:
    the facts that named them make them again.

    Args:
        engine: the record; read as of one moment.
        folder: made if absent; must not hold tables of another extract.
        compress: gzip the files.
        progress: called with table, rows written so far and None.

    Returns:
        How many rows were written, per table.

    Raises:
        InputError: the folder has tables already.
    """
    present = [f"{table}{suffix}" for table in LAYOUTS for suffix in SUFFIXES if (folder / f"{table}{suffix}").exists()]
    if present:
        raise InputError(f"holds {present[0]} already", where=str(folder), what_to_do="name an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = {}
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        for layout in LAYOUTS.values():
            rows = _write(connection, layout, folder, compress, progress)
            if rows:
                written[layout.name] = rows
    return written


def _write(connection: Connection, layout: Layout, folder: Path, compress: bool, progress: Progress | None) -> int:
    path = folder / (f"{layout.name}.csv" + ".gz" * compress)
    rows = 0
    with contextlib.ExitStack() as opened:
        for frame in _pieces(connection, layout):
            if not rows:
                plain = opened.enter_context(path.open("wb"))
                # no file name and no time in the header: the same rows give the same bytes
                file = opened.enter_context(gzip.GzipFile("", "wb", 6, plain, mtime=0)) if compress else plain
                file.write((",".join(frame.columns) + "\n").encode())
            file.write(frame.write_csv(include_header=False, quote_style="non_numeric").encode())
            rows += frame.height
            if progress is not None:
                progress(layout.name, rows, None)
    return rows


def _pieces(connection: Connection, layout: Layout) -> Iterator[pl.DataFrame]:
    """The table in its order of keys, as text columns under the names of the format."""
    postgres = connection.dialect.name == "postgresql"
    chosen = [f"{_expression(layout, column, postgres)} AS c{place}" for place, column in enumerate(layout.columns)]
    order = [f't."{key}"' + ' COLLATE "C"' * (postgres and not _is_number(layout, key)) for key in layout.keys]
    where = " WHERE NOT t.stub" if "stub" in layout.constants else ""
    query = f"SELECT {', '.join(chosen)} FROM {layout.table.name} t{where} ORDER BY {', '.join(order)}"
    result = connection.execution_options(stream_results=True, yield_per=PIECE).exec_driver_sql(query)
    for rows in result.partitions(PIECE):
        raw = pl.DataFrame(
            [tuple(row) for row in rows],
            schema={f"c{place}": _dtype(layout, column) for place, column in enumerate(layout.columns)},
            orient="row",
        )
        yield raw.select(
            _as_delivered(column, raw[f"c{place}"]).alias(column.name) for place, column in enumerate(layout.columns)
        )


def _expression(layout: Layout, column: Column, postgres: bool) -> str:
    name = f't."{column.stored}"'
    if column.stored == "customer_ref" and layout.name != "identities":
        others = [f't."{identifier}" IS NULL' for identifier, _ in layout.identifiers]
        # recorded on the spot, never merged since: the customer of that moment is the one delivered
        alone = f"CASE WHEN {' AND '.join(others) or 'true'} THEN t.customer_id END"
        return f"coalesce({name}, {alone})"
    if column.kind in (Kind.OBJECT, Kind.LIST):
        return f"CAST({name} AS TEXT)"
    if column.kind == Kind.DATE and postgres:
        return f"to_char({name}, 'YYYY-MM-DD')"
    return name


def _is_number(layout: Layout, name: str) -> bool:
    return isinstance(layout.table.c[name].type, Integer) or layout.table.c[name].type.python_type is not str


def _dtype(layout: Layout, column: Column) -> Any:
    if column.kind in (Kind.INSTANT, Kind.MONEY, Kind.INTEGER):
        return pl.Int64
    if column.kind == Kind.NUMBER:
        return pl.Float64
    return pl.Boolean if column.kind == Kind.BOOLEAN else pl.String


def _as_delivered(column: Column, values: pl.Series) -> pl.Series:
    if column.kind == Kind.INSTANT:
        return values.cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%S%.f+00:00")
    if column.kind == Kind.MONEY:
        return money_text(values)
    return cells.as_text(values)


def money_text(amounts: pl.Series) -> pl.Series:
    """Ten-thousandths as decimal texts without needless zeros."""
    sign = pl.when(pl.col("m") < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = (pl.col("m").abs() // MONEY_SCALE).cast(pl.String)
    rest = (pl.col("m").abs() % MONEY_SCALE).cast(pl.String).str.zfill(4).str.strip_chars_end("0")
    point = pl.when(rest == "").then(pl.lit("")).otherwise(pl.lit("."))
    return amounts.to_frame("m").select(pl.concat_str(sign, whole, point, rest)).to_series()
