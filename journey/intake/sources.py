"""The files of an extract folder, and the batches of rows that they are read in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from journey.errors import InputError, UnreadableFile
from journey.intake.layout import Layout
from journey.intake.layouts import LAYOUTS

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Broken:
    """A row that could not even be split into cells."""

    line: int
    reason: str
    raw: dict[str, str]


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: ``lines`` (Int64) says where each starts; ``broken`` ones are not in the frame."""

    frame: pl.DataFrame
    lines: pl.Series
    broken: list[Broken] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many rows were read."""
        return self.frame.height + len(self.broken)


class Source(Protocol):
    """A file, or rows that came over HTTP."""

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def columns(self) -> list[str]:
        """The header."""

    @property
    def total(self) -> int | None:
        """How many rows there are, where that is known beforehand."""

    def batches(self) -> Iterator[Batch]:
        """The rows, in order, in batches that bound the memory used."""


def open_source(path: Path, layout: Layout) -> Source:
    """Open a file of an extract and look at its header.

    Raises:
        UnreadableFile: no header, a required column is missing, a column is there twice, or the file is not
            what its name says.
    """
    from journey.intake.csv_files import CsvFile  # the readers need Batch; this is the only way back
    from journey.intake.parquet_files import ParquetFile

    source: Source = ParquetFile(path, layout.by_name) if path.suffix == ".parquet" else CsvFile(path)
    check_header(source.columns, layout, str(path))
    return source


def check_header(columns: Iterable[str], layout: Layout, where: str) -> None:
    """Refuse a header that cannot carry the table.

    Raises:
        UnreadableFile: a required column is missing or a column is there twice.
    """
    names = list(columns)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableFile(
            f"column {', '.join(twice)} is there twice", where=where, what_to_do="give every column its own name"
        )
    missing = [name for name in layout.required if name not in names]
    if missing:
        raise UnreadableFile(
            f"required column {', '.join(missing)} is missing",
            where=where,
            what_to_do=f"add it to the header; found: {', '.join(names)[:200]}",
            missing=missing,
        )


def table_files(folder: Path) -> dict[str, Path]:
    """The files of a folder that are tables of the extract, by table, in the order of import.

    Raises:
        InputError: there is no such folder, it has no table, or has one in two forms.
    """
    if not folder.is_dir():
        raise InputError("is not a folder", where=str(folder), what_to_do="name the folder that holds the extract")
    found: dict[str, Path] = {}
    for table in LAYOUTS:
        paths = [path for suffix in SUFFIXES if (path := folder / f"{table}{suffix}").is_file()]
        if len(paths) > 1:
            raise InputError(
                f"table {table} is there as {' and '.join(path.name for path in paths)}",
                where=str(folder),
                what_to_do="keep one of them",
            )
        if paths:
            found[table] = paths[0]
    if not found:
        raise InputError(
            "holds no table of an extract",
            where=str(folder),
            what_to_do=f"put files such as pos_lines.csv or stores.parquet there; tables: {', '.join(LAYOUTS)}",
        )
    return found
