"""Which days a roll-up has yet to add up again: what makes it incremental.

A roll-up is a job that keeps small tables of sums for the screens. It asks :func:`begin` for the days whose facts
changed since it last ran, adds those up again, and leaves with :func:`finish`. Facts that come through an import, a
merge or an erasure draw a new token for their day (:mod:`journey.fact_days`); facts that come one by one over HTTP do
not, so that the days since the last run are always added up again, and each roll-up says itself which older ones a
late tap touched.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Select, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant, is_sqlite, to_micros
from journey.fact_days import MICROSECONDS, WHOLE, FactDay

NOTHING = -1


class RolledDay(Base):
    """The state of a day of a fact table when a roll-up last added it up."""

    __tablename__ = "rolled_days"

    rollup: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)


class RollUpRun(Base):
    """The last run of a roll-up; ``memory`` is what it wants to know of itself next time."""

    __tablename__ = "rollup_runs"

    rollup: Mapped[str] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime] = mapped_column(Instant)
    through: Mapped[date]
    memory: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


@dataclass(frozen=True)
class Pending:
    """What a run has to do: ``days`` of UTC (days since 1970-01-01) whose facts changed, or ``everything``.

    ``last`` is the run before, None for the first one.
    """

    rollup: str
    everything: bool
    days: frozenset[int]
    last: RollUpRun | None
    tokens: dict[str, dict[int, int]] = field(default_factory=dict, repr=False)


def begin(
    session: Session,
    rollup: str,
    tables: Collection[str],
    *,
    now: datetime,
    everything: bool = False,
    signatures: Mapping[str, Select[*tuple[Any, ...]]] | None = None,
) -> Pending:
    """What changed in these fact tables since the roll-up last ran; everything where it never did.

    ``signatures`` are for tables of which no day is marked: a select of the UTC day and of figures that change
    whenever the day does. A second run of the same roll-up waits here for the first. Tokens are read before the facts:
    what changes in between is added up again next time.
    """
    if not is_sqlite(session):  # SQLite has one writer at a time anyway
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"rollup {rollup}"))))
    last = session.get(RollUpRun, rollup)
    tokens: dict[str, dict[int, int]] = {}
    known = RolledDay.__table__.c
    fact = FactDay.__table__.c
    rows = session.execute(
        select(fact.table_name, fact.day, fact.token)
        .outerjoin(
            RolledDay,
            (known.rollup == rollup) & (known.table_name == fact.table_name) & (known.day == fact.day),
        )
        .where(fact.table_name.in_(tables), fact.day != WHOLE, fact.token.is_distinct_from(known.token))
    )
    for table, day, token in rows:
        tokens.setdefault(table, {})[day] = token
    for table, query in (signatures or {}).items():
        if changed := _unlike_before(session, rollup, table, query):
            tokens[table] = changed
    days = {day for changed in tokens.values() for day in changed}
    if last is not None:
        days |= set(range(utc_day(last.ran_at), utc_day(now) + 1))
    return Pending(rollup, everything or last is None, frozenset(days), last, tokens)


def finish(
    session: Session, pending: Pending, *, now: datetime, through: date, memory: dict[str, Any] | None = None
) -> None:
    """Note in the caller's transaction that these days are added up; ``through`` is the last day with figures."""
    for table, changed in pending.tokens.items():
        for some in _pieces(sorted(changed), 400):
            session.execute(
                delete(RolledDay).where(
                    RolledDay.rollup == pending.rollup, RolledDay.table_name == table, RolledDay.day.in_(some)
                )
            )
        rows = [
            {"rollup": pending.rollup, "table_name": table, "day": day, "token": token}
            for day, token in changed.items()
        ]
        session.execute(insert(RolledDay), rows)
    run = session.get(RollUpRun, pending.rollup)
    if run is None:
        session.add(RollUpRun(rollup=pending.rollup, ran_at=now, through=through, memory=memory))
    else:
        run.ran_at, run.through, run.memory = now, through, memory
    session.flush()


def last_run(session: Session, rollup: str) -> RollUpRun | None:
    """The last run of a roll-up; None where it never ran."""
    return session.get(RollUpRun, rollup)


def utc_day(moment: datetime) -> int:
    """Days since 1970-01-01 of a moment, in UTC."""
    return to_micros(moment) // MICROSECONDS


def stretches_of_days(days: Iterable[int]) -> list[tuple[int, int]]:
    """Neighbouring days as (first, last)."""
    found: list[tuple[int, int]] = []
    for day in sorted(set(days)):
        if found and day == found[-1][1] + 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _unlike_before(session: Session, rollup: str, table: str, query: Select[*tuple[Any, ...]]) -> dict[int, int]:
    """The days whose signature is not the one remembered; a day that is empty now has the token of nothing."""
    known: dict[int, int] = dict(
        session.execute(
            select(RolledDay.day, RolledDay.token).where(RolledDay.rollup == rollup, RolledDay.table_name == table)
        ).all()
    )
    # plain figures in a fixed notation: the same on both databases and in every process
    now = {int(day): zlib.crc32(repr([_plain(figure) for figure in figures]).encode())
           for day, *figures in session.execute(query)}  # fmt: skip
    gone = {day: NOTHING for day, token in known.items() if day not in now and token != NOTHING}
    return {day: token for day, token in now.items() if known.get(day) != token} | gone


def _plain(figure: Any) -> str:
    return "" if figure is None else f"{float(figure):.6f}"


def _pieces(values: Sequence[int], size: int) -> list[Sequence[int]]:
    return [values[first : first + size] for first in range(0, len(values), size)]
