"""Several writers wait for one flush of SQLite's log, and nobody goes on before a flush that began after his commit."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from journey.wal_flushing import WalFlushing


class SlowDisk:
    """A log whose first flush lasts until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.flushes = 0
        self.begun, self.let_go = threading.Event(), threading.Event()
        monkeypatch.setattr(WalFlushing, "_flush_log", staticmethod(self._flush))

    def _flush(self, log: str) -> None:
        self.flushes += 1
        if self.flushes == 1:
            self.begun.set()
            assert self.let_go.wait(10)


def test_who_commits_during_a_flush_waits_for_the_next_one_together(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, log = SlowDisk(monkeypatch), WalFlushing("somewhere.db")
    first = threading.Thread(target=log.flush)
    first.start()
    assert disk.begun.wait(10)
    others = [threading.Thread(target=log.flush) for _ in range(5)]
    for one in others:
        one.start()
    while log._committed < 6:
        time.sleep(0.001)
    assert all(one.is_alive() for one in others), "the flush that is under way began before their commits"
    disk.let_go.set()
    for one in (first, *others):
        one.join(10)
    assert disk.flushes == 2


def test_a_disk_that_refuses_is_told_to_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(log: str) -> None:
        raise OSError(5, "Input/output error")

    log = WalFlushing("somewhere.db")
    with monkeypatch.context() as patched:
        patched.setattr(WalFlushing, "_flush_log", staticmethod(refuse))
        with pytest.raises(OSError, match="Input"):
            log.flush()
    log.flush()  # the file is not there: nothing is left to flush


def test_the_log_itself_is_flushed_and_sqlite_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE things (name TEXT)")
    log = WalFlushing(str(path))
    for number in range(3):
        database.execute("INSERT INTO things VALUES (?)", (str(number),))
        log.flush()
    assert database.execute("SELECT count(*) FROM things").fetchone() == (3,)
    database.close()
    WalFlushing(None).flush()  # one in memory has no disk
