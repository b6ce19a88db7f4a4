"""What a worker remembers for some seconds, so that a request on the hot path need not ask the database again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class FadingMemory(Generic[K, V]):
    """Values that are forgotten after ``seconds``, and the oldest ones beyond ``most``. Safe for threads."""

    def __init__(self, *, seconds: float, most: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.most = seconds, most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, while it is fresh."""
        kept = self._kept.get(key)
        return kept[0] if kept is not None and kept[1] > self._clock() else None

    def put(self, key: K, value: V) -> None:
        """Remember a value from now on."""
        with self._lock:
            self._kept[key] = value, self._clock() + self.seconds
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
