"""A web event as the online store keeps it, and how a list of them is written as bytes.

One JSON array per line, newest first, so that adding is prepending and reading is one parse. The line
`["read", AT]` says that everything up to AT (µs UTC) was read from the database at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Final, NamedTuple

import orjson

KEPT: Final = 50
"""Events kept per person."""
READ_MARK: Final = "read"
READ_LINE: Final = b'["read",'
_AT: Final = itemgetter(0)


class RecentEvent(NamedTuple):
    """`at` in microseconds UTC; `product_id` and `query` are empty where the event has none. Kind `scan` is an item
    scanned or taken in hand in the store; the others are those of web events.
    """

    at: int
    kind: str
    product_id: str = ""
    query: str = ""


_EVENT: Final = partial(tuple.__new__, RecentEvent)
"""As RecentEvent._make, without a call into Python for each of fifty events."""
NOTHING: Final = RecentEvent(0, "none")
"""Stands for the newest event of somebody without any."""


def line_of(event: RecentEvent) -> bytes:
    """One event as a line."""
    return orjson.dumps((event.at, event.kind, event.product_id, event.query), option=orjson.OPT_APPEND_NEWLINE)


def lines_of(events: Iterable[RecentEvent]) -> bytes:
    """Events as lines, newest first, at most KEPT."""
    newest = sorted(events, key=_AT, reverse=True)[:KEPT]
    return b"".join(map(line_of, newest))


def read_mark(at: int) -> bytes:
    """The line that says when the database was read."""
    return orjson.dumps((READ_MARK, at), option=orjson.OPT_APPEND_NEWLINE)


def parse(lines: bytes) -> tuple[list[RecentEvent], int]:
    """The events, newest first, and when the database was read (0: never)."""
    found = orjson.loads(b"[" + lines[:-1].replace(b"\n", b",") + b"]")
    read_at = 0
    if READ_LINE in lines:
        read_at = max(fields[1] for fields in found if fields[0] == READ_MARK)
        found = [fields for fields in found if fields[0] != READ_MARK]
    events: list[RecentEvent] = list(map(_EVENT, found))
    events.sort(key=_AT, reverse=True)
    return events, read_at


def still_fits(made: bytes | None, events: Sequence[RecentEvent]) -> bytes | None:
    """What was made ahead without the line of its newest event; None if that is no longer the newest one."""
    head = line_of(events[0] if events else NOTHING)
    return made[len(head) :] if made is not None and made.startswith(head) else None
