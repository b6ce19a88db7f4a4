"""Which days of which facts changed: what lets the lake be written incrementally."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base

WHOLE = -1_000_000  # the "day" of a table that the lake keeps in one file

MICROSECONDS = 86_400_000_000
# The day that a row of each fact is filed under in the lake: the store's own for sales, else that of UTC.
DAY_SQL = {
    "pos_lines": "local_day",
    "web_events": f"occurred_at / {MICROSECONDS}",
    "suggestions": f"shown_at / {MICROSECONDS}",
    "outcomes": f"occurred_at / {MICROSECONDS}",
}


class FactDay(Base):
    """A day of a fact table; ``token`` is drawn anew whenever anything of that day changes.

    A random token instead of a counter: a lake that has seen this token is up to date, whichever database it was
    last written from. Days are those of ``local_day`` for pos_lines, of UTC for the other facts.
    """

    __tablename__ = "fact_days"

    table_name: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)


def mark_days(connection: Connection, table: str, days: Iterable[int]) -> None:
    """Note in the caller's transaction that these days of a table changed."""
    ordered = sorted(set(days))  # one order for all writers: no two of them can wait for each other
    if not ordered:
        return
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    connection.exec_driver_sql(
        f"INSERT INTO fact_days (table_name, day, token) VALUES ({mark}, {mark}, {mark}) "
        "ON CONFLICT (table_name, day) DO UPDATE SET token = excluded.token",
        [(table, day, secrets.randbits(62)) for day in ordered],
    )
