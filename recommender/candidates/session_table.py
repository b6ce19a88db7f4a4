"""Web sessions as arrays, and the contexts in them: what had been looked at before each next look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Floats, Ints, Longs
from recommender.dataset import INTEREST_KINDS, WebTable

GAP: Final = 30 * 60 * 1_000_000
"""Microseconds without an event after which another session begins."""
LENGTH: Final = 30
"""A context holds the last so many looks."""
DAY: Final = 86_400e6


@dataclass(frozen=True)
class Contexts:
    """What was looked at, in order: that of context c is `product[indptr[c]:indptr[c + 1]]`, latest last."""

    indptr: Longs
    product: Ints

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def row(self) -> Ints:
        """The context of every entry of `product`."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))

    def part(self, start: int, stop: int) -> Contexts:
        """Some contexts in a row."""
        indptr = self.indptr[start : stop + 1]
        return Contexts(indptr - indptr[0], self.product[int(indptr[0]) : int(indptr[-1])])

    @classmethod
    def of(cls, lists: list[list[int]]) -> Contexts:
        """From lists of products, latest last; only the last LENGTH of each count."""
        cut = [entries[-LENGTH:] for entries in lists]
        indptr = np.cumsum([0, *(len(entries) for entries in cut)]).astype(np.int64)
        return cls(indptr, np.array([product for entries in cut for product in entries], np.int32))


@dataclass(frozen=True)
class Sessions:
    """Looks by session in order of time; `start` in days since 1970-01-01 (fractions count), ascending."""

    indptr: Longs
    product: Ints
    start: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def session(self) -> Ints:
        """The session of every look."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr))

    def take(self, chosen: Longs) -> Sessions:
        """Some sessions, in the given order."""
        sizes = np.diff(self.indptr)[chosen]
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.repeat(self.indptr[chosen] - indptr[:-1], sizes) + np.arange(int(indptr[-1]))
        return Sessions(indptr, self.product[places], self.start[chosen])

    def contexts(self, limit: int, random: np.random.Generator) -> tuple[Contexts, Ints]:
        """Every look but a session's first, with what came before it; at most `limit` of them, drawn evenly."""
        sizes = np.diff(self.indptr)
        first = np.repeat(self.indptr[:-1], sizes)
        looks = np.flatnonzero(np.arange(len(self.product)) > first)
        if len(looks) > limit:
            looks = np.sort(random.choice(looks, limit, replace=False))
        begin = np.maximum(first[looks], looks - LENGTH)
        lengths = looks - begin
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(begin - indptr[:-1], lengths) + np.arange(int(indptr[-1]))
        return Contexts(indptr, self.product[places]), self.product[looks]


def sessions_of(web: WebTable) -> Sessions:
    """The sessions of two looks and more, oldest first. Purchases are no looks; a long pause begins a new session."""
    look = web.kind != INTEREST_KINDS.index("purchase")
    code, product, time = web.session[look], web.product[look], web.time[look]
    begins = np.ones(len(code), np.bool_)
    begins[1:] = (code[1:] != code[:-1]) | (time[1:] - time[:-1] > GAP)
    first = np.flatnonzero(begins)
    indptr = np.append(first, len(code)).astype(np.int64)
    every = Sessions(indptr, product.astype(np.int32), time[first] / DAY)
    several = np.flatnonzero(np.diff(indptr) > 1)
    return every.take(several[np.argsort(every.start[several], kind="stable")])


def recency(start: NDArray[np.float64], now: float, half_life: float) -> Floats:
    """Weight of sessions that halves every `half_life` days."""
    return np.exp2(-np.maximum(now - start, 0.0) / half_life).astype(np.float32)
