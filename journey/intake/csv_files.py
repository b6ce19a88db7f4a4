"""CSV as RFC 4180 writes it, read cell by cell as text: no type is ever guessed."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import polars as pl

from journey.errors import UnreadableFile
from journey.intake.sources import Batch, Broken

BATCH = 200_000
LONGEST_CELL = 1_000_000
csv.field_size_limit(LONGEST_CELL)


class CsvFile:
    """One CSV or gzipped CSV file with a header row."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its header.

        Raises:
            UnreadableFile: it is not UTF-8, not gzip although named so, or has no header.
        """
        self.path, self.name, self.total = path, path.name, None
        rows = _Rows(path)
        with rows.opened():
            header = rows.next_row()
        if header is None or not any(name.strip() for name in header):
            raise UnreadableFile("has no header row", where=str(path), what_to_do="write the column names first")
        self.columns = [name.strip() for name in header]

    def batches(self) -> Iterator[Batch]:
        """The rows as text columns; a row that cannot be split is ``broken``, the others go on."""
        rows = _Rows(self.path)
        width = len(self.columns)
        with rows.opened():
            rows.next_row()
            done = False
            while not done:
                kept: list[list[str]] = []
                lines: list[int] = []
                broken: list[Broken] = []
                while len(kept) < BATCH and len(broken) < BATCH:
                    try:
                        row = rows.next_row()
                    except csv.Error as problem:
                        broken.append(Broken(rows.started, f"is not CSV: {problem}", {"line": rows.give_up_line()}))
                        continue
                    if row is None:
                        done = True
                        break
                    if len(row) == width:
                        kept.append(row)
                        lines.append(rows.started)
                    elif row:  # an empty line is nothing; any other number of cells is a row we must not lose
                        raw = dict(zip(self.columns, row, strict=False))
                        if len(row) > width:
                            raw["(more)"] = ",".join(row[width:])
                        broken.append(Broken(rows.started, f"has {len(row)} cells, the header has {width}", raw))
                if kept or broken:
                    yield Batch(self._frame(kept), pl.Series("line", lines, dtype=pl.Int64), broken)

    def _frame(self, rows: list[list[str]]) -> pl.DataFrame:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.columns)
        return pl.DataFrame(
            [pl.Series(name, cells, dtype=pl.String) for name, cells in zip(self.columns, columns, strict=True)]
        )


class _Rows:
    """Rows of a file with the line that each started on, able to go back when a quote swallowed several lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = 0
        self.started = 1
        self._pending: deque[str] = deque()
        self._taken: list[str] = []

    @contextmanager
    def opened(self) -> Iterator[None]:
        with (
            (gzip.open if self.path.suffix == ".gz" else open)(self.path, "rb") as raw,
            io.TextIOWrapper(io.BufferedReader(cast("io.RawIOBase", raw), 1 << 20), "utf-8-sig", newline="") as text,
        ):
            self._text = iter(text)
            self._reader = csv.reader(self._lines(), strict=True)
            yield

    def next_row(self) -> list[str] | None:
        self.started = self.line + 1
        self._taken.clear()
        try:
            return next(self._reader, None)
        except UnicodeDecodeError as problem:
            raise UnreadableFile(
                f"is not UTF-8 (byte 0x{problem.object[problem.start]:02x} after line {self.line})",
                where=str(self.path),
                what_to_do=_encoding_advice(problem.object),
            ) from problem
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise UnreadableFile(
                f"is not a whole gzip file ({problem})", where=str(self.path), what_to_do="copy or compress it again"
            ) from problem

    def give_up_line(self) -> str:
        """After a csv.Error: the line the row started on; those after it will be read again as rows."""
        first, *others = self._taken
        self._pending.extendleft(reversed(others))
        self.line = self.started
        self._reader = csv.reader(self._lines(), strict=True)
        return first.rstrip("\r\n")

    def _lines(self) -> Iterator[str]:
        pending, text, taken = self._pending, self._text, self._taken
        while True:
            line = pending.popleft() if pending else next(text, None)
            if line is None:
                return
            self.line += 1
            taken.append(line)
            yield line


def _encoding_advice(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "it looks like UTF-16; save it as UTF-8"
    try:
        data.decode("cp932")
    except UnicodeDecodeError:
        return "save it as UTF-8"
    return "it may be Shift_JIS (CP932); save it as UTF-8"
