"""Committed rows of SQLite put on the disk for several writers at once.

Left to itself (``synchronous=FULL``) SQLite waits for the disk within each commit, with the write lock in its hands, so
that writers wait for the disk in a row. Connections that flush here commit with ``synchronous=NORMAL``: a commit ends
in the kernel's hands, from where it survives the death of every process; the lock is given to the next writer, and then
all who have committed wait for one flush of the log (group commit: DeWitt et al. 1984). The log is written in order,
and whoever does not flush here commits with FULL: what rests on a row on the disk is never there without it.
"""

from __future__ import annotations

import os
import threading
from typing import Final

_flush: Final = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class WalFlushing:
    """One per database and process; `database` is the path of the file, None for one in memory."""

    def __init__(self, database: str | None) -> None:
        self._log = f"{database}-wal" if database and database != ":memory:" else None
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._committed = self._flushed = 0

    def flush(self) -> None:
        """Called after a commit: when this returns, what was committed is on the disk.

        Raises:
            OSError: the disk refused it.
        """
        if self._log is None:
            return
        with self._counting:
            self._committed += 1
            own = self._committed
        with self._turn:
            if self._flushed >= own:  # by somebody's flush that began after our commit
                return
            covered = self._committed
            self._flush_log(self._log)
            self._flushed = covered

    @staticmethod
    def _flush_log(log: str) -> None:
        try:
            file = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # all of it was moved into the database meanwhile, which is flushed by that
            return
        try:
            _flush(file)
        finally:
            os.close(file)  # SQLite holds no locks on the log, which closing it would lose
