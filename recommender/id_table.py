"""Sorted ids as one blob of UTF-8 and offsets: searched by bisection, memory-mapped, shared by all workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray


class IdTable(Sequence[str]):
    """A read-only sequence of distinct ids, ascending by their UTF-8 bytes, which is also Python's order of strings.

    A dict of Python strings costs a worker some 150 bytes per id; this costs the id itself and 8.

    Raises:
        ValueError: offsets do not fit the blob.
    """

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        if len(offsets) == 0 or int(offsets[0]) != 0 or int(offsets[-1]) != len(blob):
            raise ValueError("the offsets of an id table do not fit its blob")
        self.blob, self.offsets = blob, offsets
        # Items of a memoryview come as Python's own int and bytes, several times quicker than NumPy scalars.
        self._bytes = np.ascontiguousarray(blob).data
        self._starts = np.ascontiguousarray(offsets, np.int64).data
        self._length = len(offsets) - 1

    @classmethod
    def of(cls, ids: Iterable[str]) -> IdTable:
        """A table of ids in any order.

        Raises:
            ValueError: an id appears twice.
        """
        encoded = sorted(value.encode() for value in ids)
        if any(a == b for a, b in pairwise(encoded)):
            raise ValueError("an id table holds every id once")
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(value) for value in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._length))]
        position = int(index)
        if position < 0:
            position += self._length
        if not 0 <= position < self._length:
            raise IndexError(f"id {index} of {self._length}")
        return str(self._bytes[self._starts[position] : self._starts[position + 1]], "utf-8")

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(self._length))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and self.find(value) >= 0

    def find(self, value: str) -> int:
        """The position of an id, -1 where it is not in the table."""
        key, starts, blob = value.encode(), self._starts, self._bytes
        low, high = 0, self._length
        while low < high:
            middle = (low + high) // 2
            if blob[starts[middle] : starts[middle + 1]].tobytes() < key:
                low = middle + 1
            else:
                high = middle
        found = low < self._length and blob[starts[low] : starts[low + 1]] == key
        return low if found else -1

    def find_all(self, values: Iterable[str]) -> NDArray[np.int32]:
        """Positions of several ids, -1 for those that are not in the table."""
        return np.fromiter((self.find(value) for value in values), np.int32)


def as_table(ids: Sequence[str]) -> IdTable:
    """The ids as a table; a table is returned as it is.

    Raises:
        ValueError: the ids are not ascending, so that positions would no longer point to the same things.
    """
    if isinstance(ids, IdTable):
        return ids
    table = IdTable.of(ids)
    if len(table) and (table[0] != ids[0] or table[:] != list(ids)):
        raise ValueError("ids must be ascending: positions in a model point into the sorted table")
    return table
