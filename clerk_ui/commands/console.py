"""What every command shares: settings, the database, ``--json`` and how results and progress are shown."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from clerk_ui.settings import Settings
from journey.database import connect
from journey.schema import require_schema

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Desk:
    """What a command works with: settings, now, the database, and where output goes."""

    json: bool
    settings: Settings = field(default_factory=Settings.from_environment)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def bare_engine(self) -> Engine:
        """The database, whatever its schema."""
        return connect(self.settings.storage.database)

    @cached_property
    def engine(self) -> Engine:
        """The database at the newest schema, else an error that names ``osusume db upgrade``."""
        require_schema(self.bare_engine)
        return self.bare_engine

    @property
    def home(self) -> Path:
        """The folder of model files and the lake."""
        return self.settings.storage.home

    @cached_property
    def stderr(self) -> Console:
        """Progress and remarks; never mixed with results."""
        return Console(stderr=True, highlight=False)

    def progress(self, message: str) -> None:
        """Say on stderr what is being done."""
        if not self.json:
            self.stderr.print(f"[dim]{message}[/dim]", markup=True)

    def counted(self, what: str, done: int, total: int) -> None:
        """Progress of something counted; one line that is rewritten on a terminal."""
        if self.json or not sys.stderr.isatty():
            return
        share = f" of {total:,}" if total else ""
        sys.stderr.write(f"\r\x1b[2K{what}: {done:,}{share}" + ("\n" if total and done >= total else ""))
        sys.stderr.flush()

    def show(self, document: Any, readable: Callable[[], None]) -> None:
        """Print the result: one JSON document, or for people."""
        if self.json:
            sys.stdout.buffer.write(orjson.dumps(document, default=_plain, option=JSON_OPTIONS) + b"\n")
        else:
            readable()

    def table(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str | None = None) -> None:
        """Print rows as a table for people."""
        table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
        rows = list(rows)
        for column in columns:
            numeric = rows and all(isinstance(row.get(column), int | float) or row.get(column) is None for row in rows)
            table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(readable_value(row.get(column)) for column in columns))
        width = None if sys.stdout.isatty() else 240
        Console(width=width, highlight=False).print(table if rows else "nothing")

    def forget_online(self) -> None:
        """Empty the shared online store after the record changed beneath it; it fills itself again from the record."""
        if self.settings.storage.redis_url:
            from recommender.serving import online_store

            online_store(self.settings.storage.redis_url).forget_all()

    def say(self, line: str = "") -> None:
        """Print one line for people."""
        click.echo(line)


JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def readable_value(value: Any) -> str:
    """A value as people read it: thousands separated, four figures for fractions, lists counted."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(str, value[:4])) + (" …" if len(value) > 4 else "")
    return str(value)


def at_desk(function: Callable[..., R]) -> Callable[..., R]:
    """Decorate a command: adds ``--json`` and hands it a Desk first."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, **options: Any) -> R:
        return function(Desk(as_json), *args, **options)

    return command
