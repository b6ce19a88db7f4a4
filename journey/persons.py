"""The person behind a customer: everybody merged into one, their identifiers, and the places that name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.errors import NotFound
from journey.identity import Identity, roots
from journey.intake.ledger import QuarantinedRow
from journey.linking import IDENTIFIERS
from journey.record import metadata

PERSON_COLUMNS = frozenset(
    {"customer_id", "customer_ref", "customer_a", "customer_b", "survivor_id", "merged_id", "merged_into"}
)


@dataclass(frozen=True)
class Person:
    """Everything that leads to one person: the ids merged into one, and their identifiers as (kind, value)."""

    customer_ids: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]

    @property
    def values(self) -> set[str]:
        """All that may name the person in a row."""
        return {*self.customer_ids, *(value for _, value in self.identifiers)}


def find_person(session: Session, customer_id: str) -> Person:
    """Whom a customer id stands for, with everybody merged into the same One ID.

    Raises:
        NotFound: no such customer.
    """
    if session.get(Customer, customer_id) is None:
        raise NotFound(f"no customer {customer_id!r}", where="customer_id", what_to_do="search by name or card")
    ids = tuple(sorted(roots(session.connection(), [customer_id])))
    links = session.execute(
        select(Identity.kind, Identity.value)
        .where(or_(Identity.customer_id.in_(ids), Identity.customer_ref.in_(ids)))
        .order_by(Identity.kind, Identity.value)
    )
    return Person(ids, tuple((kind, value) for kind, value in links))


def tables_naming_persons() -> list[tuple[Table, list[ColumnElement[Any]]]]:
    """Tables beside the facts whose rows name persons, with the columns that do: these rows go with the person.

    Found by the names of their columns, so that a new table is not forgotten.
    """
    found: list[tuple[Table, list[ColumnElement[Any]]]] = []
    for table in metadata.sorted_tables:
        columns: list[ColumnElement[Any]] = [column for column in table.c if column.name in PERSON_COLUMNS]
        if columns and table.name not in IDENTIFIERS:
            found.append((table, columns))
    return found


def in_quarantine(connection: Connection, person: Person) -> Sequence[Any]:
    """The kept-out rows that name the person."""
    columns = (QuarantinedRow.row_id, QuarantinedRow.table_name, QuarantinedRow.reason, QuarantinedRow.raw)
    values = person.values
    found = connection.execute(select(*columns).execution_options(yield_per=1000))
    return [row for row in found if _names(row.raw, values)]


def _names(raw: dict[str, Any], values: set[str]) -> bool:
    if any(isinstance(cell, str) and cell in values for cell in raw.values()):
        return True
    line = raw.get("line") or raw.get("row")  # a row that could not even be split into cells
    return isinstance(line, str) and any(value in line for value in values)
