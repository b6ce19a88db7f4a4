"""The short way for rows over HTTP: plainly good cells are read without a data frame, all else takes the careful way.

A few hundred rows cost more in data-frame calls than in work. What is accepted here reads exactly as
``journey.intake.cells`` reads it; in doubt a row is not accepted, and the careful way finds the words for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journey.database import MONEY_SCALE
from journey.intake.cells import EXACT_BELOW, INT32
from journey.intake.layout import Column, Kind, Layout

UNSURE: Any = object()


@dataclass(frozen=True)
class PlainRows:
    """``columns`` (as stored) of the accepted rows, whose places in the request are ``places``; ``rest`` are others."""

    columns: dict[str, list[Any]]
    places: list[int]
    rest: list[int]


def read_plain(layout: Layout, rows: Sequence[Any]) -> PlainRows | None:
    """Read the rows that are plainly good; None where none can be told to be."""
    if not all(type(row) is dict for row in rows):
        return None
    given = set().union(*rows) if rows else set()
    columns: dict[str, list[Any]] = {}
    unsure: set[int] = set()
    for column in layout.columns:
        if column.name not in given:
            if column.required:
                return None
            if column.default is not None:
                columns[column.stored] = [column.default] * len(rows)
            continue
        reader = _reader(column)
        if reader is None:
            return None
        name = column.name
        cells = [row.get(name) for row in rows]
        values = _at_once(column, cells)
        if values is None:
            values = [reader(cell) for cell in cells]
            if UNSURE in values:
                unsure.update(place for place, value in enumerate(values) if value is UNSURE)
        columns[column.stored] = values
    if layout.ordered:
        return None
    if not unsure:
        return PlainRows(columns, list(range(len(rows))), [])
    places = [place for place in range(len(rows)) if place not in unsure]
    kept = {name: [values[place] for place in places] for name, values in columns.items()}
    return PlainRows(kept, places, sorted(unsure))


def _at_once(column: Column, cells: list[Any]) -> list[Any] | None:
    """The whole column read in a few calls where every cell is given and plain; None where it must be looked at."""
    if column.kind not in (Kind.ID, Kind.TEXT, Kind.INSTANT) or set(map(type, cells)) != {str}:
        return None
    if column.choices:
        return cells if set(cells) <= set(column.choices) else None
    if column.kind == Kind.INSTANT:
        read = {cell: _instant(cell) for cell in set(cells)}
        return None if UNSURE in read.values() else [read[cell] for cell in cells]
    lengths = set(map(len, cells))
    most = 64 if column.kind == Kind.ID else 4000
    return cells if 0 not in lengths and max(lengths) <= most and "".join(cells).isprintable() else None


def _reader(column: Column) -> Callable[[Any], Any] | None:
    if column.low is not None or column.high is not None or column.kind not in READERS:
        return None if column.kind != Kind.INTEGER or column.high is not None else _counted(column)
    read = READERS[column.kind]
    empty = UNSURE if column.required else column.default
    if column.choices:
        allowed: dict[Any, Any] = {choice: choice for choice in column.choices} | {None: empty, "": empty}
        return lambda cell: allowed.get(cell, UNSURE) if isinstance(cell, str | None) else UNSURE
    if column.nonzero:
        return lambda cell: read(cell) or UNSURE
    return lambda cell: empty if cell is None or cell == "" else read(cell)


def _counted(column: Column) -> Callable[[Any], Any]:
    low = -INT32 if column.low is None else column.low
    empty = UNSURE if column.required else None
    return lambda cell: empty if cell is None else cell if type(cell) is int and low <= cell < INT32 else UNSURE


def _id(cell: Any) -> Any:
    return cell if type(cell) is str and len(cell) <= 64 and cell.isprintable() else UNSURE


def _text(cell: Any) -> Any:
    return cell if type(cell) is str and "\x00" not in cell and len(cell) <= 4000 and _encodable(cell) else UNSURE


def _encodable(cell: str) -> bool:
    return cell.isascii() or cell.isprintable()


def _instant(cell: Any) -> Any:
    if type(cell) is not str or len(cell) < 20 or cell[10] != "T":
        return UNSURE
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return UNSURE
    if moment.tzinfo is None or not 1900 < moment.year < 2199:
        return UNSURE
    return round(moment.timestamp() * 1_000_000)


def _number(cell: Any) -> Any:
    if type(cell) is int and abs(cell) < 2**53:
        return float(cell)
    return cell if type(cell) is float and math.isfinite(cell) else UNSURE


def _money(cell: Any) -> Any:
    if type(cell) is int and abs(cell) < EXACT_BELOW:
        return cell * MONEY_SCALE
    if type(cell) is float and abs(cell) < EXACT_BELOW:
        scaled = round(cell * MONEY_SCALE)
        return scaled if scaled / MONEY_SCALE == cell else UNSURE
    return UNSURE


def _boolean(cell: Any) -> Any:
    return cell if type(cell) is bool else UNSURE


READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.ID: _id,
    Kind.TEXT: _text,
    Kind.INSTANT: _instant,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: lambda cell: cell if type(cell) is int and abs(cell) < INT32 else UNSURE,
}
