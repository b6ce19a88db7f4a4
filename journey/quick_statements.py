"""Statements that are written for the driver and run beside SQLAlchemy, for what every served customer costs.

SQLAlchemy takes several times longer to pass a statement on than SQLite takes to answer it. Here connections commit by
themselves: one per thread to PostgreSQL, one for the whole process to SQLite, which forgets the pages that it has read
with every commit of another connection. A session that is within a transaction is asked through that instead, so that
a caller always sees what it wrote. Both dialects are written out by the caller: ``:name`` for SQLite, ``%(name)s`` for
PostgreSQL. Only short statements belong here: on SQLite they wait for one another.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from journey.database import is_sqlite
from journey.wal_flushing import WalFlushing

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
    """The quick connections; closed when the engine is disposed of, and opened again when needed.

    Raises:
        DBAPIError: what the driver raised, as SQLAlchemy would wrap it.
    """

    def __init__(self, engine: Engine) -> None:
        self.sqlite = is_sqlite(engine)
        self._engine, self._dialect = ref(engine), engine.dialect  # a weak key may not be reached from its value
        self._local: Any = SimpleNamespace() if self.sqlite else threading.local()
        self._all: list[Any] = []
        self._in_use = threading.RLock()  # the one connection to SQLite
        self._one_writer = threading.Lock()
        self._turns: int | None = None
        self._log = WalFlushing(engine.url.database if self.sqlite else None)
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def rows(self, statement: str, bound: Bound) -> list[Any]:
        """The rows of a statement."""
        if self.sqlite:
            try:
                with self._in_use:
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
        """Run one statement and commit it: when this returns, everybody sees it; `flush` puts it on the disk."""
        try:
            if self.sqlite:
                with self._turn():
                    self._connection().execute(statement, bound)
            else:
                self._connection().execute(statement, bound, prepare=True)
        except (sqlite3.Error, psycopg.Error) as error:
            self._drop()
            raise self._wrapped(error, statement) from error

    def flush(self) -> None:
        """When this returns, what this thread wrote is on the disk; those who wait at the same time wait together.

        PostgreSQL sees to that within each commit.
        """
        self._log.flush()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """The driver's own connection in a transaction that is committed at the end of the block, when all is stored.

        PostgreSQL commits each statement by itself here: let one statement do it all.
        """
        try:
            if not self.sqlite:
                yield self._connection()
                return
            with self._turn():
                connection = self._connection()
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    self._drop()  # whatever it had begun is rolled back before anybody else may use it
                    raise
            self.flush()
        except (sqlite3.Error, psycopg.Error) as error:
            self._drop()
            raise self._wrapped(error, "transaction") from error
        except BaseException:
            self._drop()
            raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process after another. SQLite itself would look again every few milliseconds, up to a hundred, and
        whoever comes meanwhile goes first; the kernel wakes who waits for a file lock at once. Other writers need not
        take it: they and we still wait for SQLite's own lock.
        """
        with self._one_writer:
            if self._turns is None:
                engine = self._engine()
                assert engine is not None
                self._turns = os.open(f"{engine.url.database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._turns, fcntl.LOCK_EX)
            try:
                with self._in_use:
                    yield
            finally:
                fcntl.flock(self._turns, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close every connection."""
        with self._one_writer, self._in_use:
            open_ones, self._all = self._all, []
            self._local = SimpleNamespace() if self.sqlite else threading.local()
            for connection in open_ones:
                connection.close()
            if self._turns is not None:
                os.close(self._turns)
                self._turns = None

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
        if self.sqlite:
            connection.execute("PRAGMA synchronous=NORMAL")  # whoever writes waits for the disk after the commit
        else:
            connection.autocommit = True
        self._all.append(connection)
        return connection

    def _drop(self) -> None:
        with self._in_use:
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
