"""The right of a person to see all that is held."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, or_, select
from sqlalchemy.orm import Session

from journey.linking import IDENTIFIERS
from journey.persons import find_person, in_quarantine, tables_naming_persons
from journey.record import metadata


def export_customer(session: Session, customer_id: str) -> dict[str, Any]:
    """All that is held on a person, table by table, as one JSON document.

    Raises:
        NotFound: no such customer.
    """
    person = find_person(session, customer_id)
    connection = session.connection()
    document: dict[str, Any] = {
        "customer_ids": list(person.customer_ids),
        "identifiers": [{"kind": kind, "value": value} for kind, value in person.identifiers],
    }
    for name in IDENTIFIERS:
        table = metadata.tables[name]
        chosen = or_(*(table.c[c].in_(person.customer_ids) for c in ("customer_id", "customer_ref") if c in table.c))
        document[name] = _documents(connection, table, chosen)
    for named, naming in tables_naming_persons():
        chosen = or_(*(column.in_(person.customer_ids) for column in naming))
        document[named.name] = _documents(connection, named, chosen)
    shown = [row["suggestion_id"] for row in document["suggestions"]]
    for name in ("outcomes", "confirmations", "outcome_contests"):
        table = metadata.tables[name]
        document[name] = _documents(connection, table, table.c.suggestion_id.in_(shown))
    document["quarantine"] = [
        {"table": row.table_name, "reason": row.reason, "row": row.raw} for row in in_quarantine(connection, person)
    ]
    return document


def _documents(connection: Connection, table: Table, chosen: Any) -> list[dict[str, Any]]:
    rows = connection.execute(select(table).where(chosen).order_by(*table.primary_key.columns))
    return [{name: _plain(value) for name, value in row._mapping.items() if value is not None} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return json.loads(value) if isinstance(value, bytes) else value
