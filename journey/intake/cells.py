"""Reads one column of cells, whatever type it came in, into what the record stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

import orjson
import polars as pl

from journey.database import MONEY_SCALE
from journey.intake.layout import Column, Kind
from journey.intake.times import EARLIEST, LATEST, known_zone, localise, read_instants

NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
TOO_FINE = r"\.\d{5,}|[eE]"
EXACT_BELOW = 1e10  # a double holds ten-thousandths exactly up to here, with room to spare
LARGEST_MONEY = Decimal(9 * 10**14)
INT32 = 2**31


@dataclass(frozen=True)
class Cells:
    """A column as read: ``values`` as stored, and ``bad``, which cells could not be read (None: all could).

    ``forbidden`` are further cells that could be read but may not stand there, each kind with its reason.
    """

    values: pl.Series
    bad: pl.Series | None = None
    why: str = ""
    forbidden: tuple[tuple[pl.Series, str], ...] = ()


def as_text(cells: pl.Series) -> pl.Series:
    """Cells of any type as the text they would be in a CSV; empty ones are null.

    Whole floats lose their ``.0``: they are ids or counts that a tool with missing values made floats.
    """
    dtype = cells.dtype
    if dtype == pl.String:
        return cells.set(cells == "", None) if (cells == "").any() else cells
    if dtype == pl.Binary:
        return as_text(cells.cast(pl.String, strict=False))
    if dtype.is_float():
        text = cells.cast(pl.Float64).fill_nan(None).cast(pl.String)
        whole = (cells.is_finite() & (cells == cells.round()) & (cells.abs() < 2**53)).fill_null(False)
        return cells.cast(pl.Int64, strict=False).cast(pl.String).zip_with(whole, text)
    if dtype.is_decimal():
        return cells.cast(pl.String).str.replace(r"(\.\d*?)0+$", "$1").str.replace(r"\.$", "")
    if isinstance(dtype, pl.Datetime):
        return cells.dt.to_string("iso:strict")
    if isinstance(dtype, pl.Struct):
        return pl.Series(cells.name, [None if v is None else _json(v) for v in cells.to_list()], dtype=pl.String)
    if dtype.is_nested():
        return pl.Series(cells.name, [None if v is None else str(v) for v in cells.to_list()], dtype=pl.String)
    return as_text(cells.cast(pl.String))


def read(column: Column, cells: pl.Series, zone: pl.Series | str) -> Cells:
    """Read one column; ``zone`` is that of times without an offset."""
    found = _instants(cells, zone) if column.kind == Kind.INSTANT else READERS[column.kind](cells)
    forbidden = tuple((rows, why) for rows, why in _rules(column, found.values) if rows.any())
    return replace(found, forbidden=forbidden) if forbidden else found


def _rules(column: Column, values: pl.Series) -> Iterator[tuple[pl.Series, str]]:
    """Which values break a rule of the column, and how."""
    if column.choices:
        allowed = pl.Series(list(column.choices)).implode()
        yield ~values.is_in(allowed), f"is not one of {', '.join(column.choices)}"
    if column.nonzero:
        yield values == 0, "must not be 0"
    if column.kind == Kind.LIST:
        wrong = [text is not None and not _holds(orjson.loads(text), column.fields) for text in values.to_list()]
        told = (
            f"is not a list of objects with {', '.join(sorted(column.fields))}" if column.fields else "holds no texts"
        )
        yield pl.Series(wrong, dtype=pl.Boolean), told
    if column.low is not None:
        yield values < column.low, f"is below {column.low:g}"
    if column.high is not None:
        yield values > column.high, f"is above {column.high:g}"


def _checked(given: pl.Series, values: pl.Series, why: str) -> Cells:
    if values.null_count() == given.null_count():
        return Cells(values)
    return Cells(values, given.is_not_null() & values.is_null(), why)


def _ids(cells: pl.Series) -> Cells:
    text = as_text(cells)
    length = text.str.len_chars()
    bad = (length > 64) | text.str.contains(r"[\x00-\x1f\x7f]")
    return Cells(text, bad, "is not an id of 1 to 64 characters") if bad.any() else Cells(text)


def _texts(cells: pl.Series) -> Cells:
    text = as_text(cells)
    bad = text.str.contains("\x00", literal=True)
    return Cells(text, bad, "contains a NUL character") if bad.any() else Cells(text)


def _zones(cells: pl.Series) -> Cells:
    text = _trimmed(cells)
    bad = pl.Series([value is not None and not known_zone(value) for value in text.to_list()], dtype=pl.Boolean)
    return Cells(text, bad, "is not a time zone such as Asia/Tokyo") if bad.any() else Cells(text)


def _trimmed(cells: pl.Series) -> pl.Series:
    text = as_text(cells).str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def _instants(cells: pl.Series, zone: pl.Series | str) -> Cells:
    why = "is not a time in ISO 8601"
    if isinstance(cells.dtype, pl.Datetime):
        given = cells.cast(pl.Datetime("us", cells.dtype.time_zone))
        moments = given.to_physical() if cells.dtype.time_zone else localise(given, zone)
    elif cells.dtype == pl.Date:
        given = cells
        moments = localise(cells.cast(pl.Datetime("us")), zone)
    else:
        given = _trimmed(cells)
        moments = read_instants(given, zone)
    outside = (moments < EARLIEST) | (moments >= LATEST)
    if outside.any():
        return Cells(moments, outside | (given.is_not_null() & moments.is_null()), why + " between 1900 and 2200")
    return _checked(given, moments, why)


def _dates(cells: pl.Series) -> Cells:
    if isinstance(cells.dtype, pl.Date | pl.Datetime):
        return Cells(cells.cast(pl.Date))
    text = _trimmed(cells)
    dates = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    rest = text.is_not_null() & (dates.is_null() | (text.str.len_chars() > 10))
    if rest.any():  # a time where a date is asked for, or a date written without hyphens
        found = read_instants(text.filter(rest), "UTC").cast(pl.Datetime("us")).dt.date()
        dates = dates.scatter(rest.arg_true(), found)
    return _checked(text, dates, "is not a date in ISO 8601")


def _money(cells: pl.Series) -> Cells:
    why = "is not an amount of money"
    if cells.dtype.is_integer():
        cells = cells.cast(pl.Int64, strict=False)
        large = cells.abs() > int(LARGEST_MONEY)
        return Cells(cells * MONEY_SCALE, large, why) if large.any() else Cells(cells * MONEY_SCALE)
    if cells.dtype.is_float():
        given, exact, amounts = cells, pl.repeat(True, len(cells), eager=True), cells.cast(pl.Float64)
        amounts = amounts.set(~amounts.is_finite().fill_null(True), None)
    else:
        given = _trimmed(cells)
        exact = ~given.str.contains(TOO_FINE)
        amounts = given.cast(pl.Float64, strict=False)
        amounts = amounts.set(~given.str.contains(NUMBER).fill_null(True), None)
    plain = (exact & (amounts.abs() < EXACT_BELOW)).fill_null(False)
    scaled = (amounts.set(~plain, None) * MONEY_SCALE).round().cast(pl.Int64)
    rest = amounts.is_not_null() & ~plain
    if rest.any():
        texts = given.cast(pl.String).filter(rest).to_list()
        scaled = scaled.scatter(rest.arg_true(), pl.Series([_exact_money(text) for text in texts], dtype=pl.Int64))
    return _checked(given, scaled, why)


def _exact_money(text: str) -> int | None:
    amount = Decimal(text)
    if abs(amount) > LARGEST_MONEY:
        return None
    return int((amount * MONEY_SCALE).to_integral_value(rounding=ROUND_HALF_EVEN))


def _numbers(cells: pl.Series) -> Cells:
    if cells.dtype.is_numeric():
        values = cells.cast(pl.Float64)
        return _checked(cells, values.set(~values.is_finite().fill_null(True), None), "is not a number")
    text = _trimmed(cells)
    values = text.cast(pl.Float64, strict=False)
    values = values.set(~(text.str.contains(NUMBER) & values.is_finite()).fill_null(True), None)
    return _checked(text, values, "is not a number")


def _integers(cells: pl.Series) -> Cells:
    if cells.dtype.is_integer():
        values: pl.Series = cells.cast(pl.Int64, strict=False)
        given = cells
    else:
        given = _trimmed(cells)
        values = given.cast(pl.Int64, strict=False)
        odd = given.is_not_null() & values.is_null()
        if odd.any():  # "3.0": a count that a tool with missing values made a float
            whole = given.filter(odd).str.extract(r"^([+-]?\d+)\.0*$", 1).cast(pl.Int64, strict=False)
            values = values.scatter(odd.arg_true(), whole)
    values = values.set((values.abs() >= INT32).fill_null(False), None)
    return _checked(given, values, "is not a whole number")


def _booleans(cells: pl.Series) -> Cells:
    if cells.dtype == pl.Boolean:
        return Cells(cells)
    text = _trimmed(cells)
    lower = text.str.to_lowercase()
    yes, no = lower.is_in(["true", "t", "1"]), lower.is_in(["false", "f", "0"])
    return _checked(text, yes.set(~(yes | no), None), "is neither true nor false")


def _holds(items: list[object], fields: frozenset[str]) -> bool:
    """Whether a list holds objects with these fields, or, where there are none, texts."""
    if not fields:
        return all(isinstance(item, str) for item in items)
    return all(isinstance(item, dict) and item.keys() == fields for item in items)


def _objects(cells: pl.Series) -> Cells:
    return _documents(cells, dict, "is not a JSON object")


def _lists(cells: pl.Series) -> Cells:
    return _documents(cells, list, "is not a JSON list")


def _documents(cells: pl.Series, kind: type, why: str) -> Cells:
    text = as_text(cells)
    values = pl.Series([None if cell is None else _document(cell, kind) for cell in text.to_list()], dtype=pl.String)
    return _checked(text, values, why)


def _document(text: str, kind: type) -> str | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    written = _json(value) if isinstance(value, kind) else None
    return None if written is None or "\\u0000" in written else written


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)


READERS: dict[Kind, Callable[[pl.Series], Cells]] = {
    Kind.ID: _ids,
    Kind.TEXT: _texts,
    Kind.ZONE: _zones,
    Kind.DATE: _dates,
    Kind.MONEY: _money,
    Kind.NUMBER: _numbers,
    Kind.INTEGER: _integers,
    Kind.BOOLEAN: _booleans,
    Kind.OBJECT: _objects,
    Kind.LIST: _lists,
}
