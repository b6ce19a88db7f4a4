"""The online store on Redis: one round trip per call, short timeouts, and a breaker for when it is down."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from recommender.online_events import KEPT, NOTHING, RecentEvent, line_of, lines_of, parse, read_mark, still_fits
from recommender.online_store import AHEAD_FOR, EVENTS_FOR, VISITS_FOR, OnlineView, Seen, person

LOG = logging.getLogger(__name__)
TIMEOUT: Final = 0.1
"""Seconds to wait for Redis before the suggestion goes on without it."""
REST: Final = 2.0
"""Seconds without another attempt after a failure."""
PEOPLE_AT_ONCE: Final = 500
"""Events of so many people go in one round trip, so that a large batch stays within the timeout."""
T = TypeVar("T")

# ARGV: lines to put in front, lines to put behind, how many to keep, seconds to live.
# Lines already there are not repeated, so recording twice and filling after recording change nothing.
_JOIN: Final = """
local old = redis.call('GET', KEYS[1]) or ''
local seen, kept, marks, n = {}, {}, '', 0
for line in (ARGV[1] .. old .. ARGV[2]):gmatch('[^\\n]+') do
  if line:sub(1, 7) == '["read"' then
    if marks == '' then marks = line .. '\\n' end
  elseif not seen[line] then
    seen[line] = true
    if n < tonumber(ARGV[3]) then n = n + 1; kept[n] = line .. '\\n' end
  end
end
redis.call('SET', KEYS[1], table.concat(kept) .. marks, 'EX', ARGV[4])
return n
"""
_SECOND: Final = timedelta(seconds=1)


class RedisOnlineStore:
    """Keys under `prefix`: `e:PERSON` events, `a:PERSON:STORE` made ahead, `s:STORE` who is there.

    The breaker opens at a failure and lets one attempt through every REST seconds; `clock` gives seconds.
    """

    trusts_itself_for = timedelta(hours=1)

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "osusume:",
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # once: a connection that Redis closed meanwhile
            health_check_interval=0,
        )
        self._join = self._redis.register_script(_JOIN)
        self._prefix = prefix
        self._clock = clock
        self._closed_until = float("-inf")
        self._lock = threading.Lock()

    def read(self, customer_id: str | None, store_id: str, visitor_id: str | None = None) -> OnlineView:
        who = person(customer_id, visitor_id)

        def ask() -> OnlineView:
            found: Any = self._redis.mget(f"{self._prefix}e:{who}", f"{self._prefix}a:{who}:{store_id}")
            events, read_at = parse(found[0]) if found[0] else ([], 0)
            return OnlineView(events, read_at, still_fits(found[1], events))

        return self._guarded(ask, OnlineView(reachable=False))

    def record(self, seen: Iterable[Seen]) -> None:
        by_person: defaultdict[str, list[RecentEvent]] = defaultdict(list)
        for one in seen:
            by_person[one.person].append(one.event)
        if not by_person:
            return

        def tell() -> None:
            people = list(by_person.items())
            for start in range(0, len(people), PEOPLE_AT_ONCE):
                some = people[start : start + PEOPLE_AT_ONCE]
                try:
                    self._record(some)
                except NoScriptError:  # Redis was started anew; recording twice changes nothing
                    self._redis.script_load(_JOIN)
                    self._record(some)

        self._guarded(tell, None)

    def _record(self, people: Sequence[tuple[str, list[RecentEvent]]]) -> None:
        """One round trip; a pipeline of the script's own would ask before each whether Redis knows it."""
        with self._redis.pipeline(transaction=False) as pipe:
            for who, events in people:
                pipe.evalsha(self._join.sha, 1, *self._arguments(who, lines_of(events), b""))
            pipe.execute()

    def fill(self, customer_id: str | None, visitor_id: str | None, events: Sequence[RecentEvent], now: int) -> None:
        lines = lines_of(events)
        self._guarded(lambda: self._put(person(customer_id, visitor_id), front=read_mark(now), behind=lines), None)

    def forget(self, customer_ids: Iterable[str]) -> None:
        gone = list(customer_ids)

        def tell() -> None:
            stores = list(self._redis.scan_iter(f"{self._prefix}s:*"))
            with self._redis.pipeline(transaction=False) as pipe:
                for store in stores:
                    pipe.zrem(store, *gone)
                for customer_id in gone:
                    pipe.unlink(f"{self._prefix}e:{person(customer_id)}")
                pipe.execute()

        if gone:
            self._guarded(tell, None)

    def forget_all(self) -> None:
        def tell() -> None:
            batch: list[Any] = []
            for key in self._redis.scan_iter(f"{self._prefix}*", count=1000):
                batch.append(key)
                if len(batch) == 1000:
                    self._redis.unlink(*batch)
                    batch.clear()
            if batch:
                self._redis.unlink(*batch)

        self._guarded(tell, None)

    def arrive(self, store_id: str, customer_id: str, at: int) -> None:
        def tell() -> None:
            key = f"{self._prefix}s:{store_id}"
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.zadd(key, {customer_id: at})
                pipe.zremrangebyscore(key, "-inf", at - VISITS_FOR // timedelta(microseconds=1) - 1)
                pipe.expire(key, VISITS_FOR)
                pipe.execute()

        self._guarded(tell, None)

    def leave(self, store_id: str, customer_id: str) -> None:
        self._guarded(lambda: self._redis.zrem(f"{self._prefix}s:{store_id}", customer_id), None)

    def in_store(self, store_id: str, since: int) -> list[tuple[str, int]]:
        def ask() -> list[tuple[str, int]]:
            found: Any = self._redis.zrevrangebyscore(f"{self._prefix}s:{store_id}", "+inf", since, withscores=True)
            here = [(member.decode(), int(at)) for member, at in found]
            return sorted(here, key=lambda visit: (-visit[1], visit[0]))

        return self._guarded(ask, [])

    def keep_ahead(self, customer_id: str, store_id: str, made: bytes, after: RecentEvent | None) -> None:
        key = f"{self._prefix}a:{person(customer_id)}:{store_id}"
        self._guarded(lambda: self._redis.set(key, line_of(after or NOTHING) + made, ex=AHEAD_FOR), None)

    def reachable(self) -> bool:
        return self._guarded(lambda: bool(self._redis.ping()), False)

    def _put(self, who: str, *, front: bytes, behind: bytes) -> None:
        key, *rest = self._arguments(who, front, behind)
        self._join(keys=[key], args=rest)

    def _arguments(self, who: str, front: bytes, behind: bytes) -> list[Any]:
        return [f"{self._prefix}e:{who}", front, behind, KEPT, EVENTS_FOR // _SECOND]

    def _guarded(self, call: Callable[[], T], otherwise: T) -> T:
        """Run the call unless Redis failed a moment ago; a failure opens the breaker and is told once."""
        if self._clock() < self._closed_until:
            return otherwise
        try:
            answer = call()
        except (redis.RedisError, OSError) as error:
            with self._lock:
                if self._closed_until == float("-inf"):
                    LOG.warning("the online store does not answer, suggestions go on without it: %s", error)
                self._closed_until = self._clock() + REST
            return otherwise
        if self._closed_until != float("-inf"):
            LOG.warning("the online store answers again")
            self._closed_until = float("-inf")
        return answer
