"""Work of several requests of one process done at once: a group commit.

A commit costs the same for one row as for a hundred, and requests that come together wait for one another anyway.
Whoever finds nobody at work does it for all who wait at that moment, himself among them; those who come meanwhile are
the next group. So a quiet server answers at once, and a busy one in larger groups. Nobody is answered before the work
that holds their part has ended.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Part(Generic[T, R]):
    """What one request wants done, and what came of it."""

    __slots__ = ("answer", "done", "error", "given")

    def __init__(self, given: T) -> None:
        self.given = given
        self.done = False
        self.answer: R | None = None
        self.error: Exception | None = None


class Grouped(Generic[T, R]):
    """``work`` takes the parts of a group and answers with one result for each, in their order; at most ``most`` parts.

    Where the work of several fails, each part is tried again alone, so that one request's fault is not another's.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], *, most: int = 64) -> None:
        self._work, self._most = work, most
        self._turn = threading.Lock()
        self._waiting: deque[_Part[T, R]] = deque()

    def do(self, given: T) -> R:
        """Have this part done; returns when it is.

        Raises:
            Exception: what the work raised for this part alone.
        """
        part: _Part[T, R] = _Part(given)
        self._waiting.append(part)
        while not part.done:
            with self._turn:
                if not part.done:
                    self._next_group()
        if part.error is not None:
            raise part.error
        return part.answer  # type: ignore[return-value]  # done without an error: it is one

    def _next_group(self) -> None:
        group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._try(group)
        except Exception:
            if len(group) == 1:
                raise AssertionError("one part alone keeps its error") from None
            for part in group:
                self._try([part])

    def _try(self, group: Sequence[_Part[T, R]]) -> None:
        try:
            answers = self._work([part.given for part in group])
        except Exception as error:
            if len(group) > 1:
                raise
            group[0].error = error
        else:
            for part, answer in zip(group, answers, strict=True):
                part.answer = answer
        for part in group:
            part.done = True
