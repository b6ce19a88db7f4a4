"""Large loads: secondary indexes are rebuilt once at the end instead of being kept for every row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Index
from sqlalchemy.schema import CreateIndex, DropIndex

from journey.intake.layout import Layout
from journey.intake.sources import Source

LARGE = 200_000  # rows of a file from which rebuilding may pay
SHARE = 0.5  # of the rows already there


@contextmanager
def without_indexes(connection: Connection, layout: Layout, opened: Source) -> Iterator[None]:
    """Drop the table's secondary indexes for a load that is large for it, and build them again, all in one transaction.

    On PostgreSQL this locks readers out until the commit, so there it is done only for an empty table.
    """
    if not _pays(connection, layout, opened):
        yield
        return
    dropped = (index for index in layout.table.indexes if index.columns[0].name not in layout.looked_up)
    indexes: list[Index] = sorted(dropped, key=lambda index: str(index.name))
    for index in indexes:
        connection.execute(DropIndex(index))
    yield
    for index in indexes:
        connection.execute(CreateIndex(index))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {layout.table.name}")  # the planner would believe it empty for a while


def _pays(connection: Connection, layout: Layout, opened: Source) -> bool:
    if not layout.fact_time or opened.total is None or opened.total < LARGE:
        return False
    name = layout.table.name
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first() is None
    present = connection.exec_driver_sql(f"SELECT coalesce(max(rowid), 0) FROM {name}").scalar_one()
    return bool(opened.total > SHARE * present)
