"""Merges what is staged into the record: new rows, updates of master data, and facts that contradict it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import JSON, Connection

from journey.intake.direct import insert_directly
from journey.intake.layout import Layout
from journey.intake.staging import Stage

NEVER_COMPARED = {"customer_id", "local_day", "search_key"}  # derived from what was delivered


@dataclass
class Merged:
    """What became of a staged batch; ``conflicts`` are the ``n`` of rows whose key holds other values."""

    inserted: int = 0
    updated: int = 0
    conflicts: list[int] = field(default_factory=list)


def merge(connection: Connection, layout: Layout, frame: pl.DataFrame, staged: Callable[[], Stage]) -> Merged:
    """Merge rows; those that are neither counted nor conflicts were there already.

    Facts are tried straight into their table first: most deliveries bring new rows only.

    Args:
        connection: inside the transaction of the import.
        layout: the table.
        frame: resolved rows with ``n`` and the stored columns.
        staged: writes the rows into the temporary table and returns it; called only where it is needed.
    """
    if layout.master:
        stage = staged()
        return Merged(updated=_update(connection, layout, stage), inserted=_insert(connection, layout, stage))
    inserted = insert_directly(connection, layout, frame)
    if inserted == frame.height:
        return Merged(inserted)
    stage = staged()
    if inserted is None:
        inserted = _insert(connection, layout, stage)
        if inserted == frame.height:
            return Merged(inserted)
    updated = _update(connection, layout, stage) if layout.updates or layout.fills else 0
    return Merged(inserted, updated, _conflicts(connection, layout, stage))


def _insert(connection: Connection, layout: Layout, stage: Stage) -> int:
    names = [*stage.columns, *layout.constants]
    values = [f's."{name}"' for name in stage.columns] + list(layout.constants.values())
    quoted = ", ".join(f'"{name}"' for name in names)
    return connection.exec_driver_sql(
        f"INSERT INTO {layout.table.name} ({quoted}) SELECT {', '.join(values)} FROM {stage.name} s WHERE true "
        "ON CONFLICT DO NOTHING"
    ).rowcount


def _update(connection: Connection, layout: Layout, stage: Stage) -> int:
    """Bring delivered values into rows whose key is known, where they differ and may."""
    compared = _compared(layout, stage)
    allowed = compared if layout.updates is None else [n for n in compared if n in layout.updates | layout.fills]
    if not allowed:
        return 0
    sets = [f'"{name}" = s."{name}"' for name in allowed]
    differs = [_differs(layout, name) for name in allowed]
    conditions = [_same_key(layout)]
    if layout.updates is None:
        if "search_key" in stage.columns:
            sets.append('"search_key" = s."search_key"')
        if "stub" in layout.constants:
            sets.append("stub = false")
            differs.append("t.stub")
    else:
        conditions += [f"NOT ({_differs(layout, name)})" for name in compared if name not in allowed]
        conditions += [
            f't."{name}" IS NULL OR NOT ({_differs(layout, name)})' for name in allowed if name in layout.fills
        ]
    if layout.newest:
        conditions.append(f's."{layout.newest}" >= t."{layout.newest}"')
    where = " AND ".join(f"({condition})" for condition in [*conditions, " OR ".join(differs)])
    return connection.exec_driver_sql(
        f"UPDATE {layout.table.name} AS t SET {', '.join(sets)} FROM {stage.name} s WHERE {where}"
    ).rowcount


def _conflicts(connection: Connection, layout: Layout, stage: Stage) -> list[int]:
    differs = [_differs(layout, name) for name in _compared(layout, stage)]
    if not differs:
        return []
    # CROSS JOIN makes SQLite look up the few staged rows in the large table, never the other way round
    rows = connection.exec_driver_sql(
        f"SELECT s.n FROM {stage.name} s CROSS JOIN {layout.table.name} t WHERE {_same_key(layout)} "
        f"AND ({' OR '.join(differs)}) ORDER BY s.n"
    )
    return [n for (n,) in rows]


def _compared(layout: Layout, stage: Stage) -> list[str]:
    return [name for name in stage.columns if name not in layout.keys and name not in NEVER_COMPARED]


def _same_key(layout: Layout) -> str:
    return " AND ".join(f't."{key}" = s."{key}"' for key in layout.keys)


def _differs(layout: Layout, name: str) -> str:
    if isinstance(layout.table.c[name].type, JSON):
        return f'CAST(t."{name}" AS TEXT) IS DISTINCT FROM CAST(s."{name}" AS TEXT)'
    return f't."{name}" IS DISTINCT FROM s."{name}"'
