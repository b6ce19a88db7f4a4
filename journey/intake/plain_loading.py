"""Brings plainly good rows into the record with a handful of statements, whatever their number."""

from __future__ import annotations

import operator
import weakref
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Pool

from journey.database import from_micros
from journey.erasures import digest
from journey.fact_days import MICROSECONDS, mark_days
from journey.intake.layout import Kind, Layout
from journey.intake.plain_rows import PlainRows
from journey.intake.staging import raw_connection
from journey.intake.times import Zones
from journey.linking import among

REMEMBERED = 200_000
# Master rows are never deleted, so an id that was found once is known for good in this process. Kept by the pool of
# connections: an engine with options of its own, as writing sessions have, is another object each time.
_found: weakref.WeakKeyDictionary[Pool, dict[str, set[str]]] = weakref.WeakKeyDictionary()
EPOCH_DAY = 719_163  # proleptic ordinal of 1970-01-01
_INSERTS: dict[tuple[str, tuple[str, ...], str], str] = {}
SEPARATOR, NOTHING = "\x1f", "\x1e"  # what no text has in it, between two values and for one that is not there


def may_go_plainly(layout: Layout) -> bool:
    """Facts without consequences elsewhere."""
    return layout.name in ("pos_lines", "web_events")


def _of_erased_persons(connection: Connection, layout: Layout, columns: dict[str, list[Any]]) -> bool:
    """Whether any row names a person who was erased; such rows need the careful way."""
    salts = [salt for (salt,) in connection.exec_driver_sql("SELECT DISTINCT salt FROM erasures")]
    if not salts:
        return False
    named = [("customers", value) for value in set(columns.get("customer_ref", ()))]
    named += [
        (kind, value) for name, kinds in layout.identifiers for value in set(columns.get(name, ())) for kind in kinds
    ]
    digests = [digest(salt, kind, value) for salt in salts for kind, value in named if value is not None]
    some, given = among(connection, digests)
    return (
        connection.exec_driver_sql(f"SELECT 1 FROM erasures WHERE digest {some} LIMIT 1", (given,)).first() is not None
    )


def load_plain(connection: Connection, layout: Layout, rows: PlainRows, zones: Zones) -> int:
    """Insert those rows that are new and return how many; 0, with nothing done, where any needs a stub or is of an
    erased person.
    """
    columns = _in_order_of_keys(layout, rows.columns)
    if not _all_known(connection, layout, columns) or _of_erased_persons(connection, layout, columns):
        return 0
    owners = _customers(connection, layout, columns, len(rows.places))
    if owners is None:
        return 0
    columns["customer_id"] = owners
    if layout.name == "pos_lines":
        columns["local_day"] = _local_days(columns["sold_at"], columns["store_id"], zones)
    names = tuple(columns)
    raw = raw_connection(connection)
    cursor = raw.cursor()
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        packed = _packed(columns)
        way = "arrays" if packed is None else "texts"
        values = list(columns.values()) if packed is None else packed
        cursor.execute(_statement(layout, names, way), values, prepare=True)
    else:
        cursor.executemany(_statement(layout, names, "rows"), zip(*columns.values(), strict=True))
    inserted = int(cursor.rowcount)
    if not inserted:
        return 0
    times = columns[layout.fact_time]
    days = columns["local_day"] if layout.name == "pos_lines" else [time // MICROSECONDS for time in times]
    mark_days(connection, layout.name, set(days))
    return inserted


def _in_order_of_keys(layout: Layout, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The rows sorted: two requests with the same rows then never wait for each other in a circle."""
    parts = [columns[key] for key in layout.keys]
    keys = parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))
    if all(map(operator.le, keys, keys[1:])):
        return dict(columns)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return {name: [values[place] for place in order] for name, values in columns.items()}


def _packed(columns: dict[str, list[Any]]) -> list[str] | None:
    """Each column as one text that the server takes apart; None where a value has a separator in it.

    The driver looks at every element of an array for what must be quoted, which costs as much as the insert itself.
    """
    packed = []
    for values in columns.values():
        text = SEPARATOR.join([NOTHING if v is None else v if type(v) is str else str(v) for v in values])
        if not text or text.count(SEPARATOR) != len(values) - 1 or text.count(NOTHING) != values.count(None):
            return None
        packed.append(text)
    return packed


def _statement(layout: Layout, names: tuple[str, ...], way: str) -> str:
    """An INSERT of whole columns, as ``texts`` or ``arrays``, or of one row after the other (``rows``)."""
    known = _INSERTS.get((layout.name, names, way))
    if known is not None:
        return known
    quoted = ", ".join(f'"{name}"' for name in names)
    if way != "rows":
        kinds = {Kind.INSTANT: "bigint", Kind.MONEY: "bigint", Kind.INTEGER: "int", Kind.NUMBER: "float8"}
        kind_of = {column.stored: kinds.get(column.kind, "text") for column in layout.columns} | {"local_day": "int"}
        column = "%s" if way == "arrays" else f"string_to_array(%s, E'\\x{ord(SEPARATOR):x}', E'\\x{ord(NOTHING):x}')"
        arrays = ", ".join(f"{column}::{kind_of.get(name, 'text')}[]" for name in names)
        source = f"SELECT * FROM unnest({arrays})"
    else:
        source = f"VALUES ({', '.join('?' * len(names))})"
    statement = f"INSERT INTO {layout.table.name} ({quoted}) {source} ON CONFLICT DO NOTHING"
    _INSERTS[layout.name, names, way] = statement
    return statement


def known_ids(connection: Connection, table: str, ids: set[str]) -> set[str]:
    """Those of the ids that a master table has; what was found once is not asked for again."""
    seen = _found.setdefault(connection.engine.pool, {}).setdefault(table, set())
    new = ids - seen
    if not new:
        return ids
    some, given = among(connection, new)
    key = f"{table[:-1]}_id"
    found = connection.exec_driver_sql(f"SELECT {key} FROM {table} WHERE {key} {some}", (given,))
    present = {value for (value,) in found}
    if len(seen) < REMEMBERED:
        seen |= present
    return (ids - new) | present


def _all_known(connection: Connection, layout: Layout, columns: dict[str, list[Any]]) -> bool:
    for column in layout.columns:
        if column.refers and column.refers != "customers" and column.stored in columns:
            named = set(columns[column.stored]) - {None}
            if known_ids(connection, column.refers, named) != named:
                return False
    return True


def _customers(
    connection: Connection, layout: Layout, columns: dict[str, list[Any]], height: int
) -> list[str | None] | None:
    """One ID per row; None where a customer is named that is not known yet."""
    refs = columns.get("customer_ref") or [None] * height
    named = set(refs) - {None}
    one_ids: dict[str | None, str] = {}
    if named:
        some, given = among(connection, named)
        query = f"SELECT customer_id, coalesce(merged_into, customer_id) FROM customers WHERE customer_id {some}"
        one_ids.update((a, b) for a, b in connection.exec_driver_sql(query, (given,)))
        if len(one_ids) < len(named):
            return None
    resolved: list[str | None] = [one_ids.get(ref) for ref in refs]
    for name, kinds in layout.identifiers:
        values = columns.get(name)
        if values is None:
            continue
        asked = {value for value, ref in zip(values, refs, strict=True) if ref is None and value is not None}
        if not asked:
            continue
        some, given = among(connection, asked)
        linked: dict[str, dict[str, str]] = {}
        query = f"SELECT kind, value, customer_id FROM identities WHERE value {some}"
        for kind, value, customer in connection.exec_driver_sql(query, (given,)):
            linked.setdefault(value, {})[kind] = customer
        if linked:
            best = {value: next((of[k] for k in kinds if k in of), None) for value, of in linked.items()}
            resolved = [
                best.get(value) if ref is None and one is None else one
                for value, ref, one in zip(values, refs, resolved, strict=True)
            ]
    return resolved


def _local_days(moments: list[int], stores: list[str], zones: Zones) -> list[int]:
    default = ZoneInfo(zones.default)
    of_store = {store: ZoneInfo(name) for store, name in zones.of_store.items()}
    return [_day(from_micros(at), of_store.get(store, default)) for at, store in zip(moments, stores, strict=True)]


def _day(moment: datetime, zone: ZoneInfo) -> int:
    return moment.astimezone(zone).toordinal() - EPOCH_DAY
