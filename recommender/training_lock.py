"""One training at a time in a home folder, and what the one that runs is doing."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from journey.errors import Conflict

NOTE = ".training.json"


class RunningNote:
    """The note that a running training keeps for whoever looks: pid, since, what, stage."""

    def __init__(self, file: TextIO, **facts: Any) -> None:
        self._file, self._facts = file, facts
        self.stage("")

    def stage(self, name: str) -> None:
        """Say which stage begins."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(self._facts | {"stage": name}))
        self._file.flush()


@contextmanager
def one_training(models: Path, what: str, *, now: datetime) -> Iterator[RunningNote]:
    """Hold the lock of the folder while training; it is let go of even where the process is killed.

    Raises:
        Conflict: another training runs.
    """
    models.mkdir(parents=True, exist_ok=True)
    with (models / NOTE).open("a+", encoding="utf-8") as file:
        try:
            _take(file)
        except BlockingIOError as error:
            other = _read(models) or {}
            raise Conflict(
                f"a training runs already ({other.get('what', 'training')}, process {other.get('pid', '?')}, "
                f"since {str(other.get('since', '?'))[:16]})",
                where=str(models),
                what_to_do="wait until it is done",
            ) from error
        try:
            yield RunningNote(file, pid=os.getpid(), what=what, since=now.astimezone(UTC).isoformat())
        finally:
            file.truncate(0)


def _take(file: TextIO) -> None:
    """Take the lock at once; somebody who only looks whether a training runs holds it for a moment."""
    for wait in (0.02, 0.1, 0.3):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait)
        else:
            return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def running(models: Path) -> dict[str, Any] | None:
    """The note of the training that runs now; None where none does."""
    try:
        with (models / NOTE).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(models)
    except FileNotFoundError:
        return None
    return None


def _read(models: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads((models / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # between truncation and writing
        return {}
    return note
