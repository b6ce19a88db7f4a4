"""What an extract's tables look like, as data: the one description that reading, checking, loading and export share."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from sqlalchemy import Table


class Kind(StrEnum):
    """What a cell holds, and so how it is read."""

    ID = "id"
    TEXT = "text"
    INSTANT = "time"
    DATE = "date"
    MONEY = "amount of money"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "true or false"
    OBJECT = "JSON object"
    LIST = "JSON list"
    ZONE = "time zone"


@dataclass(frozen=True)
class Column:
    """A column of a file: ``target`` is its name in the database, ``refers`` the master table that it points to.

    A list holds texts, or objects that each have the names in ``fields`` and no others.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    key: bool = False
    target: str = ""
    choices: tuple[str, ...] = ()
    refers: str = ""
    low: float | None = None
    high: float | None = None
    nonzero: bool = False
    default: str | None = None
    fields: frozenset[str] = frozenset()

    @property
    def stored(self) -> str:
        """The column's name in the database."""
        return self.target or self.name


@dataclass(frozen=True)
class Layout:
    """One table of the extract.

    Attributes:
        updates: columns (as stored) that a later row may change; None: all of them (a master table).
        fills: columns that a later row may only fill where they were unknown.
        newest: a stored time; an older row never replaces a newer one.
        identifiers: stored column → kinds of identity, asked in this order where no customer was delivered.
        ordered: pairs of columns where the second may not lie before the first.
        personal: stored columns that are emptied where the person was erased.
        constants: stored columns that no file brings, as SQL literals.
        fact_time: the time by whose day the lake files the rows; empty for master tables.
        looked_up: stored columns by which rows are found while more of them come in; their indexes stay in place.
    """

    name: str
    table: Table
    columns: tuple[Column, ...]
    updates: frozenset[str] | None = frozenset()
    fills: frozenset[str] = frozenset()
    newest: str = ""
    identifiers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    personal: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    fact_time: str = ""
    looked_up: frozenset[str] = frozenset()

    @property
    def master(self) -> bool:
        """Whether a row with a known key and other values is an update."""
        return self.updates is None

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names in the file."""
        return {column.name: column for column in self.columns}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The stored names of the natural key."""
        return tuple(column.stored for column in self.columns if column.key)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def keeps_reference(self) -> bool:
        """Whether the customer is stored as delivered beside what it resolves to."""
        return any(column.stored == "customer_ref" for column in self.columns)
