"""What must be fresh and can be rebuilt: recent events, who is in the store, suggestions made ahead.

The Protocol, its twin within one process, and the null answer of a store that is out of reach. Declined and
dismissed products are not kept here: the database is asked for them in the one statement every request makes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from recommender.online_events import KEPT, NOTHING, RecentEvent, line_of, still_fits

EVENTS_FOR: Final = timedelta(days=14)
VISITS_FOR: Final = timedelta(hours=12)
AHEAD_FOR: Final = timedelta(minutes=10)
PEOPLE_KEPT: Final = 50_000


@dataclass(frozen=True)
class OnlineView:
    """What is known of a person now: events newest first, when the database was last read for them (µs UTC, 0
    never), and what was made ahead. `reachable` is False where the store did not answer.
    """

    events: Sequence[RecentEvent] = ()
    read_at: int = 0
    ahead: bytes | None = None
    reachable: bool = True


@dataclass(frozen=True)
class Seen:
    """An event and who made it: the customer where known, else the visitor."""

    event: RecentEvent
    customer_id: str | None = None
    visitor_id: str | None = None

    @property
    def person(self) -> str:
        """The key of the person."""
        return person(self.customer_id, self.visitor_id)


def person(customer_id: str | None, visitor_id: str | None = None) -> str:
    """One key space for customers and visitors."""
    return f"c:{customer_id}" if customer_id is not None else f"v:{visitor_id}"


class OnlineStore(Protocol):
    """Reading is one round trip. No method raises when the store is out of reach: reading answers with nothing,
    writing is dropped, since all of it can be rebuilt from the database. Times are microseconds UTC.
    """

    trusts_itself_for: timedelta
    """How long what was read from the database is held to be complete."""

    def read(self, customer_id: str | None, store_id: str, visitor_id: str | None = None) -> OnlineView:
        """Events of the customer, else of the visitor, and what was made ahead for this store."""
        ...

    def record(self, seen: Iterable[Seen]) -> None:
        """Add events, after they were committed to the database."""
        ...

    def fill(self, customer_id: str | None, visitor_id: str | None, events: Sequence[RecentEvent], now: int) -> None:
        """Put what the database says under what was recorded since, and remember that it was read."""
        ...

    def forget(self, customer_ids: Iterable[str]) -> None:
        """Drop the events and visits of some customers: after an erasure, a merge or a split."""
        ...

    def forget_all(self) -> None:
        """Drop everything: after an import, or to rebuild."""
        ...

    def arrive(self, store_id: str, customer_id: str, at: int) -> None:
        """A customer is in the store."""
        ...

    def leave(self, store_id: str, customer_id: str) -> None:
        """The customer has gone."""
        ...

    def in_store(self, store_id: str, since: int) -> list[tuple[str, int]]:
        """Customers who arrived since, latest first, with the time."""
        ...

    def keep_ahead(self, customer_id: str, store_id: str, made: bytes, after: RecentEvent | None) -> None:
        """Keep for AHEAD_FOR what was made ahead knowing of events up to `after`; a newer event voids it."""
        ...

    def reachable(self) -> bool:
        """Whether the store answers."""
        ...


class InProcessOnlineStore:
    """The twin for a single process, bounded by the number of people; `clock` gives seconds and only serves to let
    suggestions made ahead run out.
    """

    trusts_itself_for = timedelta(seconds=5)

    def __init__(self, *, people: int = PEOPLE_KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = people
        self._clock = clock
        self._events: OrderedDict[str, tuple[list[RecentEvent], int]] = OrderedDict()
        self._ahead: OrderedDict[str, dict[str, tuple[bytes, float]]] = OrderedDict()
        self._visits: dict[str, dict[str, int]] = {}
        self._lock = threading.Lock()

    def read(self, customer_id: str | None, store_id: str, visitor_id: str | None = None) -> OnlineView:
        key = person(customer_id, visitor_id)
        with self._lock:
            events, read_at = self._events.get(key, ((), 0))
            made = self._ahead.get(key, {}).get(store_id)
            fresh = made and self._clock() - made[1] < AHEAD_FOR.total_seconds()
            return OnlineView(tuple(events), read_at, still_fits(made[0], events) if made and fresh else None)

    def record(self, seen: Iterable[Seen]) -> None:
        with self._lock:
            for one in seen:
                events, read_at = self._events.pop(one.person, ([], 0))
                self._events[one.person] = _newest([one.event, *events]), read_at
            self._bound()

    def fill(self, customer_id: str | None, visitor_id: str | None, events: Sequence[RecentEvent], now: int) -> None:
        key = person(customer_id, visitor_id)
        with self._lock:
            recorded, _ = self._events.pop(key, ([], 0))
            self._events[key] = _newest([*recorded, *events]), now
            self._bound()

    def forget(self, customer_ids: Iterable[str]) -> None:
        with self._lock:
            for customer_id in customer_ids:
                self._events.pop(person(customer_id), None)
                self._ahead.pop(person(customer_id), None)
                for visits in self._visits.values():
                    visits.pop(customer_id, None)

    def forget_all(self) -> None:
        with self._lock:
            self._events.clear()
            self._ahead.clear()
            self._visits.clear()

    def arrive(self, store_id: str, customer_id: str, at: int) -> None:
        with self._lock:
            visits = self._visits.setdefault(store_id, {})
            visits[customer_id] = at
            gone = at - VISITS_FOR // timedelta(microseconds=1)
            for past in [customer for customer, arrived in visits.items() if arrived < gone]:
                del visits[past]

    def leave(self, store_id: str, customer_id: str) -> None:
        with self._lock:
            self._visits.get(store_id, {}).pop(customer_id, None)

    def in_store(self, store_id: str, since: int) -> list[tuple[str, int]]:
        with self._lock:
            here = [(customer, at) for customer, at in self._visits.get(store_id, {}).items() if at >= since]
        return sorted(here, key=lambda visit: (-visit[1], visit[0]))

    def keep_ahead(self, customer_id: str, store_id: str, made: bytes, after: RecentEvent | None) -> None:
        with self._lock:
            kept = line_of(after or NOTHING) + made, self._clock()
            self._ahead.setdefault(person(customer_id), {})[store_id] = kept
            self._bound()

    def reachable(self) -> bool:
        return True

    def _bound(self) -> None:
        for table in (self._events, self._ahead):
            while len(table) > self._people:
                table.popitem(last=False)


def _newest(events: Iterable[RecentEvent]) -> list[RecentEvent]:
    return sorted(dict.fromkeys(events), key=lambda event: -event.at)[:KEPT]
