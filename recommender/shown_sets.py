"""Every shown suggestion is written down, in one statement, before the clerk sees it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import orjson
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros
from journey.quick_statements import Connections, connections
from recommender.requests import SuggestionSet

COLUMNS: Final = (
    "suggestion_id", "set_id", "customer_id", "customer_ref", "store_id", "clerk_id", "device_id", "shown_at",
    "product_id", "rank", "score", "probability", "propensity", "model", "policy", "arm", "reason", "kind", "source",
    "evidence", "channel", "rules",
)  # fmt: skip

ROWS_AT_ONCE: Final = 500
"""Keeps the values of one statement within what both databases take."""


@lru_cache(maxsize=256)
def _statement(rows: int, sqlite: bool) -> str:
    """One INSERT of so many rows, written out: composing it through SQLAlchemy costs as much as choosing the
    suggestions, and one statement of five rows half as much as five.
    """
    row = f"({', '.join(['?' if sqlite else '%s'] * len(COLUMNS))})"
    return f"INSERT INTO suggestions ({', '.join(COLUMNS)}) VALUES {', '.join([row] * rows)}"


def record_set(session: Session, answer: SuggestionSet) -> None:
    """Insert what was shown, or in the hold-out arm what would have been; the caller commits."""
    rows, sqlite = rows_of(answer), is_sqlite(session)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        session.connection().exec_driver_sql(_statement(len(part), sqlite), _values(part))


def rows_of(answer: SuggestionSet) -> list[tuple[Any, ...]]:
    """One row per suggestion, in the order of COLUMNS."""
    request, shown_at = answer.request, to_micros(answer.shown_at)
    set_id, model, policy, arm = answer.set_id, answer.model, answer.policy, answer.arm
    who = request.customer_id, request.customer_id, request.store_id, request.clerk_id, request.device_id, shown_at
    return [
        (
            one.suggestion_id, set_id, *who, one.product_id, one.rank, one.score, one.probability, one.propensity,
            model, policy, arm, one.reason, one.kind, one.source, orjson.dumps(one.evidence).decode(), request.channel,
            orjson.dumps(answer.rules).decode() if one.rank == 1 and answer.rules else None,
        )
        for one in (*answer.proposals, *answer.withheld)
    ]  # fmt: skip


def _values(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(rows))


class _Waiting:
    """The rows of one set on their way into the database."""

    __slots__ = ("error", "rows", "stored")

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows, self.stored = rows, False
        self.error: Exception | None = None


class SetWriter:
    """Stores what was shown, each set before its clerk sees it; one per process.

    A commit waits for the disk. Sets of other threads that come meanwhile are stored together by the next commit
    (group commit: DeWitt et al. 1984), so that clerks who ask at the same moment wait for one or two, not for each
    other in a row.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._turn = threading.Lock()

    def store(self, engine: Engine, answer: SuggestionSet) -> None:
        """Insert and commit what was shown; when this returns, it is stored.

        Raises:
            DBAPIError: it could not be stored.
        """
        rows = rows_of(answer)
        if not rows:
            return
        own, database = _Waiting(rows), connections(engine)
        self._waiting.append(own)
        with self._turn:
            if not own.stored:
                self._store_waiting(database)
        if own.error is not None:
            raise own.error
        database.flush()

    def _store_waiting(self, database: Connections) -> None:
        together: list[_Waiting] = []
        count = 0
        while self._waiting and count < ROWS_AT_ONCE:
            together.append(self._waiting.popleft())
            count += len(together[-1].rows)
        try:
            self._write(database, [row for one in together for row in one.rows])
        except Exception:  # each set is tried again by itself, and tells its own thread what failed
            for one in together:
                try:
                    self._write(database, one.rows)
                except Exception as error:  # raised in the thread that waits for it
                    one.error = error
        for one in together:
            one.stored = True

    @staticmethod
    def _write(database: Connections, rows: list[tuple[Any, ...]]) -> None:
        database.write(_statement(len(rows), database.sqlite), _values(rows))
