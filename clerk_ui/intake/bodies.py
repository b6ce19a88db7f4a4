"""What machines send and are answered; the rows themselves are described from the extract's own layouts."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from clerk_ui.field_types import Body, Document
from journey.intake.layout import Column, Kind
from journey.intake.layouts import LAYOUTS
from journey.intake.rows import MOST_ROWS

JSON_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.ID: {"type": "string", "minLength": 1, "maxLength": 64},
    Kind.INSTANT: {"type": "string", "format": "date-time"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.MONEY: {"type": ["number", "string"], "description": "tax included"},
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.OBJECT: {"type": "object"},
}


def row_schema(table: str, *, optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON schema of a row; ``optional`` columns are required in files but may be left out here."""
    columns = LAYOUTS[table].columns
    return {
        "type": "object",
        "properties": {column.name: _column(column) for column in columns},
        "required": [column.name for column in columns if column.required and column.name not in optional],
    }


def _column(column: Column) -> dict[str, Any]:
    schema = dict(JSON_TYPES.get(column.kind, {"type": "string"}))
    if column.choices:
        schema["enum"] = list(column.choices)
    return schema


def _rows(table: str, *, optional: frozenset[str] = frozenset()) -> Any:
    return Field(json_schema_extra={"items": row_schema(table, optional=optional), "maxItems": MOST_ROWS})


class EventsBody(Body):
    """Web and app events."""

    events: list[Any] = _rows("web_events")


class PosLinesBody(Body):
    """Lines of the till."""

    pos_lines: list[Any] = _rows("pos_lines")


class CheckinsBody(Body):
    """Arrivals; ``source`` is checkin where it is left out."""

    checkins: list[Any] = _rows("visits", optional=frozenset({"source"}))


class OrdersBody(Body):
    """Mobile orders and reservations; ``pickup_at`` is when the customer means to come."""

    orders: list[Any] = _rows("orders")


class AnswersBody(Body):
    """Answers to surveys."""

    answers: list[Any] = _rows("answers")


class TrafficBody(Body):
    """People counted at the door."""

    traffic: list[Any] = _rows("traffic")


class StockBody(Body):
    """How many there are."""

    stock: list[Any] = _rows("stock")


class KeptOutDocument(Document):
    """A row that was not taken: its place in the request (from 0), bad or a conflict, and why."""

    index: int
    kind: str
    reason: str


class RowsDocument(Document):
    """What became of the rows. Whatever is not in ``kept_out`` is stored: this answer comes after the commit."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    kept_out: list[KeptOutDocument]
    unknown_columns: list[str]
