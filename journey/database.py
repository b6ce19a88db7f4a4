"""Engine, sessions, column types and the naming of constraints: what every table module builds on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Dialect, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MONEY_SCALE = 10_000
WRITE = "osusume_write"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table; its metadata is what migrations are compared with."""

    metadata = MetaData(naming_convention=NAMING)


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime.

    Raises:
        ValueError: the datetime has no zone; guessing one here would move sales across midnight.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    return EPOCH + micros * MICROSECOND


class Instant(TypeDecorator[datetime]):
    """A moment: BIGINT microseconds since the epoch in the database, an aware UTC datetime in Python.

    One integer on both databases, so that bucketing (``sold_at / 900000000``) is the same SQL everywhere.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Dialect) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


class Money(TypeDecorator[Decimal]):
    """An amount in the chain's currency: BIGINT ten-thousandths in the database, Decimal in Python.

    Exact sums on both databases; finer fractions are rounded half to even.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | float | str | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = Decimal(str(value)) * MONEY_SCALE
        return int(scaled.to_integral_value(rounding=ROUND_HALF_EVEN))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / MONEY_SCALE


def connect(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for SQLite (WAL) or PostgreSQL; for SQLite the folder of the file is made.

    Transactions on SQLite are begun by us: Python's driver would otherwise begin them late and commit before
    DDL, which breaks savepoints and atomic imports. Writers begin IMMEDIATE, so that two of them queue instead
    of failing when the second one upgrades its read lock.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an acknowledged outcome survives a power cut in the shop
            "busy_timeout=30000",
            "foreign_keys=ON",
            "cache_size=-65536",
            "mmap_size=268435456",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def is_sqlite(bind: Engine | Session) -> bool:
    """Whether statements go to SQLite (else PostgreSQL)."""
    engine = bind.get_bind() if isinstance(bind, Session) else bind
    return engine.dialect.name == "sqlite"


def reading(engine: Engine) -> Session:
    """A session for reading."""
    return Session(engine, expire_on_commit=False)


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session that commits at the end and rolls back on any error; only entry points use it."""
    with (
        Session(engine.execution_options(**{WRITE: True}), expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session
