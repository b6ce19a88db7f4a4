"""How often one address may try a secret.

Kept in each worker's memory: the limit on accounts (:mod:`journey.sign_ins`) is the one that holds across workers; this
one slows down whoever tries many accounts or many enrolment codes from one place.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

from flask import request

from journey.errors import TooMany

ADDRESSES_KEPT = 10_000


class RateLimit:
    """At most ``times`` in ``seconds`` for one key; a sliding window."""

    def __init__(self, times: int, seconds: float) -> None:
        self.times, self.seconds = times, seconds
        self._lock = threading.Lock()
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str, *, now: float) -> float:
        """Count one attempt; returns 0, or the seconds to wait where it was one too many (then it is not counted)."""
        with self._lock:
            taken = self._taken.setdefault(key, deque())
            self._taken.move_to_end(key)
            while taken and taken[0] <= now - self.seconds:
                taken.popleft()
            if len(taken) >= self.times:
                return taken[0] + self.seconds - now
            taken.append(now)
            while len(self._taken) > ADDRESSES_KEPT:
                self._taken.popitem(last=False)
            return 0.0

    def clear(self) -> None:
        """Forget all attempts."""
        with self._lock:
            self._taken.clear()


def limit_attempts(limit: RateLimit, who: str | None = None, *, where: str = "sign-in") -> None:
    """Refuse an address (or whoever is named) that tries too often.

    Raises:
        TooMany: with the seconds to wait.
    """
    wait = limit.take(who or request.remote_addr or "", now=time.monotonic())
    if wait:
        raise TooMany(
            "too many attempts from here",
            where=where,
            what_to_do="wait a little",
            retry_after=max(1, round(wait)),
        )
