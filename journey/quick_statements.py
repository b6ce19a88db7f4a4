"""Statements that are written for the driver and run beside SQLAlchemy, for what every served customer costs.

SQLAlchemy takes several times longer to pass a statement on than SQLite takes to answer it. Here each thread has a
connection of its own that commits by itself; a session that is within a transaction is asked through that instead, so
that a caller always sees what it wrote. Both dialects are written out by the caller: ``:name`` for SQLite, ``%(name)s``
for PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from journey.database import is_sqlite

Bound = Mapping[str, Any] | Sequence[Any]
TRUSTED_FOR: Final = 10.0
"""Seconds after which a PostgreSQL connection that was idle is asked whether it still stands."""


def rows(session: Session, statement: str, bound: Bound) -> list[Any]:
    """The rows of a statement, as tuples."""
    if session.in_transaction():
        return list(session.connection().exec_driver_sql(statement, bound).fetchall())
    return connections(engine_of(session)).rows(statement, bound)


def engine_of(session: Session) -> Engine:
    """The engine that a session was made with; get_bind would think about mappers first."""
    engine = session.bind
    assert isinstance(engine, Engine)
    return engine


def connections(engine: Engine) -> Connections:
    """The quick connections to the engine's database."""
    found = _KNOWN.get(engine)
    if found is None:
        with _MAKING:
            found = _KNOWN.get(engine)
            if found is None:
                found = _KNOWN[engine] = Connections(engine)
    return found


class Connections:
    """One connection per thread. They are closed when the engine is disposed of, and opened again when needed.

    Raises:
        DBAPIError: what the driver raised, as SQLAlchemy would wrap it.
    """

    def __init__(self, engine: Engine) -> None:
        self.sqlite = is_sqlite(engine)
        self._engine, self._dialect = ref(engine), engine.dialect  # a weak key may not be reached from its value
        self._local = threading.local()
        self._all: list[Any] = []
        self._one_thread = threading.Lock()
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def rows(self, statement: str, bound: Bound) -> list[Any]:
        """The rows of a statement."""
        if self.sqlite:
            try:
                found: list[Any] = self._connection().execute(statement, bound).fetchall()
            except sqlite3.Error as error:
                raise self._wrapped(error, statement) from error
            return found
        try:
            return list(self._connection().execute(statement, bound, prepare=True).fetchall())
        except psycopg.OperationalError:  # closed by the server meanwhile: once more on a new one
            self._drop()
        try:
            return list(self._connection().execute(statement, bound, prepare=True).fetchall())
        except psycopg.Error as error:
            raise self._wrapped(error, statement) from error

    def write(self, statement: str, bound: Bound) -> None:
        """Run one statement and commit it: when this returns, it is stored."""
        try:
            if self.sqlite:
                with self._turn():
                    self._connection().execute(statement, bound)
            else:
                self._connection().execute(statement, bound, prepare=True)
        except (sqlite3.Error, psycopg.Error) as error:
            self._drop()
            raise self._wrapped(error, statement) from error

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """The driver's own connection in a transaction that is committed at the end of the block, when all is stored.

        PostgreSQL commits each statement by itself here: let one statement do it all.
        """
        connection = self._connection()
        try:
            if not self.sqlite:
                yield connection
                return
            with self._turn():
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, psycopg.Error) as error:
            self._drop()
            raise self._wrapped(error, "transaction") from error
        except BaseException:
            self._drop()  # whatever it had begun is rolled back
            raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process after another. SQLite itself would look again every few milliseconds, up to a hundred, and
        whoever comes meanwhile goes first; the kernel wakes who waits for a file lock at once. Other writers need not
        take it: they and we still wait for SQLite's own lock.
        """
        engine = self._engine()
        assert engine is not None
        with self._one_thread:
            file = os.open(f"{engine.url.database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)  # which gives the lock back

    def close(self) -> None:
        """Close every thread's connection."""
        open_ones, self._all, self._local = self._all, [], threading.local()
        for connection in open_ones:
            connection.close()

    def _connection(self) -> Any:
        held = getattr(self._local, "held", None)
        now = time.monotonic()
        if held is not None and not self.sqlite and now - self._local.used > TRUSTED_FOR and not _stands(held):
            self._drop()
            held = None
        if held is None:
            held = self._local.held = self._opened()
        self._local.used = now
        return held

    def _opened(self) -> Any:
        engine = self._engine()
        assert engine is not None
        pooled = engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        if not self.sqlite:
            connection.autocommit = True
        self._all.append(connection)
        return connection

    def _drop(self) -> None:
        held = getattr(self._local, "held", None)
        self._local.held = None
        if held is not None:
            held.close()

    def _wrapped(self, error: Exception, statement: str) -> Exception:
        base: type[Exception] = sqlite3.Error if self.sqlite else psycopg.Error
        return DBAPIError.instance(statement, None, error, base, dialect=self._dialect)


def _stands(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


_KNOWN: WeakKeyDictionary[Engine, Connections] = WeakKeyDictionary()
_MAKING: Final = threading.Lock()
