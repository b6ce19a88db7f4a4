"""The rights of the person behind a customer: to be erased from every table, and to see all that is held."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from journey.analysis_results import forget_persons
from journey.audit import AuditEntry, record_act
from journey.contests import OutcomeContest
from journey.customers import Customer
from journey.database import Base
from journey.erasures import Erasure, digest
from journey.errors import NotFound
from journey.fact_days import DAY_SQL, WHOLE, mark_days
from journey.identity import Identity, Merge, roots
from journey.intake.layouts import LAYOUTS
from journey.intake.ledger import QuarantinedRow
from journey.intake.resolution import ERASED_VISITOR
from journey.linking import IDENTIFIERS, among
from journey.member_invitations import MemberInvitation
from journey.suggestions import Suggestion

ERASED = "customer.erased"
NOBODY = "erased"


@dataclass(frozen=True)
class Person:
    """Everything that leads to one person: the ids merged into one, and their identifiers as (kind, value)."""

    customer_ids: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]

    @property
    def values(self) -> set[str]:
        """All that may name the person in a row."""
        return {*self.customer_ids, *(value for _, value in self.identifiers)}


@dataclass
class ErasureSummary:
    """How many rows of each table were made anonymous, and how many removed."""

    anonymised: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)


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


def erase_customer(session: Session, customer_id: str, *, actor: str, now: datetime) -> ErasureSummary:
    """Erase a person: purchases stay as anonymous receipts, everything personal goes, and stays away.

    Digests of the identifiers remain, so that importing an old delivery again cannot bring the person back. The
    lake drops the person at its next refresh; caches and models are for those who keep them.

    Raises:
        NotFound: no such customer.
    """
    session.flush()
    person = find_person(session, customer_id)
    connection = session.connection()
    summary = ErasureSummary()
    _remember_digests(connection, person, now)
    summary.anonymised["outcome_contests"] = _blank_contests(connection, person)
    for table in IDENTIFIERS:
        _erase_facts(connection, table, person, summary)
    for model, columns in (
        (Identity, (Identity.customer_id, Identity.customer_ref)),
        (Merge, (Merge.survivor_id, Merge.merged_id)),
        (MemberInvitation, (MemberInvitation.customer_id,)),
        (Customer, (Customer.customer_id,)),
    ):
        gone = delete(model).where(or_(*(column.in_(person.customer_ids) for column in columns)))
        summary.removed[model.__tablename__] = connection.execute(gone).rowcount
    summary.removed["quarantine"] = _erase_quarantine(connection, person)
    summary.removed["analysis_results"] = forget_persons(session)
    connection.execute(
        update(AuditEntry)
        .where(AuditEntry.subject_kind == "customer", AuditEntry.subject_id.in_(person.customer_ids))
        .values(subject_id=NOBODY, detail=None)
    )
    mark_days(connection, "customers", [WHOLE])
    counts = {"anonymised": summary.anonymised, "removed": summary.removed}
    record_act(session, at=now, actor=actor, action=ERASED, subject_kind="customer", subject_id=NOBODY, detail=counts)
    session.flush()
    session.expire_all()
    return summary


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
    for name in ("customers", "identities", *IDENTIFIERS):
        table = Base.metadata.tables[name]
        chosen = or_(*(table.c[c].in_(person.customer_ids) for c in ("customer_id", "customer_ref") if c in table.c))
        document[name] = _documents(connection, table, chosen)
    shown = [row["suggestion_id"] for row in document["suggestions"]]
    for name in ("outcomes", "confirmations", "outcome_contests"):
        table = Base.metadata.tables[name]
        document[name] = _documents(connection, table, table.c.suggestion_id.in_(shown))
    document["merges"] = _documents(
        connection,
        Base.metadata.tables["merges"],
        or_(Merge.survivor_id.in_(person.customer_ids), Merge.merged_id.in_(person.customer_ids)),
    )
    document["member_invitations"] = _documents(
        connection,
        Base.metadata.tables["member_invitations"],
        MemberInvitation.customer_id.in_(person.customer_ids),
    )
    document["quarantine"] = [
        {"table": row.table_name, "reason": row.reason, "row": row.raw} for row in _in_quarantine(connection, person)
    ]
    return document


def _remember_digests(connection: Connection, person: Person, now: datetime) -> None:
    salt = connection.scalar(select(Erasure.salt).limit(1)) or secrets.token_hex(16)
    named = [("customers", customer) for customer in person.customer_ids] + list(person.identifiers)
    rows = [{"digest": digest(salt, kind, value), "salt": salt, "erased_at": now} for kind, value in named]
    known = set(connection.scalars(select(Erasure.digest).where(Erasure.digest.in_([r["digest"] for r in rows]))))
    if new := [row for row in rows if row["digest"] not in known]:
        connection.execute(insert(Erasure), new)


def _erase_facts(connection: Connection, table: str, person: Person, summary: ErasureSummary) -> None:
    """Remove rows that are about nothing but the person; make the others anonymous."""
    some, given = among(connection, person.customer_ids)
    where, values = f"t.customer_id {some} OR t.customer_ref {some}", [given, given]
    identifier = IDENTIFIERS[table]
    if identifier is not None:
        carried, listed = among(connection, [value for kind, value in person.identifiers if kind in identifier[1]])
        where, values = f"{where} OR (t.customer_ref IS NULL AND t.{identifier[0]} {carried})", [*values, listed]
    parameters = tuple(values)
    if table in DAY_SQL:
        days = connection.exec_driver_sql(f"SELECT DISTINCT {DAY_SQL[table]} FROM {table} t WHERE {where}", parameters)
        mark_days(connection, table, [day for (day,) in days])
    if not Base.metadata.tables[table].c.customer_id.nullable:
        gone = connection.exec_driver_sql(f"DELETE FROM {table} AS t WHERE {where}", parameters)
        summary.removed[table] = gone.rowcount
        return
    emptied = {"customer_id": "NULL", "customer_ref": "NULL", **dict.fromkeys(LAYOUTS[table].personal, "NULL")}
    if identifier is not None:
        required = not Base.metadata.tables[table].c[identifier[0]].nullable
        emptied[identifier[0]] = f"'{ERASED_VISITOR}'" if required else "NULL"
    sets = ", ".join(f"{name} = {value}" for name, value in emptied.items())
    blanked = connection.exec_driver_sql(f"UPDATE {table} AS t SET {sets} WHERE {where}", parameters)
    summary.anonymised[table] = blanked.rowcount


def _blank_contests(connection: Connection, person: Person) -> int:
    """Empty what clerk and manager wrote about outcomes of the person's suggestions; the decision stays."""
    theirs = select(Suggestion.suggestion_id).where(
        or_(Suggestion.customer_id.in_(person.customer_ids), Suggestion.customer_ref.in_(person.customer_ids))
    )
    blank = update(OutcomeContest).where(OutcomeContest.suggestion_id.in_(theirs)).values(reason="", answer=None)
    return connection.execute(blank).rowcount


def _in_quarantine(connection: Connection, person: Person) -> Sequence[Any]:
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


def _erase_quarantine(connection: Connection, person: Person) -> int:
    ids = [row.row_id for row in _in_quarantine(connection, person)]
    for first in range(0, len(ids), 500):
        connection.execute(delete(QuarantinedRow).where(QuarantinedRow.row_id.in_(ids[first : first + 500])))
    return len(ids)


def _documents(connection: Connection, table: Table, chosen: Any) -> list[dict[str, Any]]:
    rows = connection.execute(select(table).where(chosen).order_by(*table.primary_key.columns))
    return [{name: _plain(value) for name, value in row._mapping.items() if value is not None} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return json.loads(value) if isinstance(value, bytes) else value
