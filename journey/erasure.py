"""The right of the person behind a customer to be erased from every table."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from journey.analysis_results import forget_persons
from journey.audit import AuditEntry, record_act
from journey.coaching import forget_words
from journey.contests import OutcomeContest
from journey.customers import Customer
from journey.erasures import Erasure, digest
from journey.fact_days import DAY_SQL, WHOLE, mark_days
from journey.identity_review import IdentityClaim
from journey.intake.layouts import LAYOUTS
from journey.intake.ledger import QuarantinedRow
from journey.intake.resolution import ERASED_VISITOR
from journey.linking import IDENTIFIERS, among
from journey.persons import Person, find_person, in_quarantine, tables_naming_persons
from journey.record import metadata
from journey.suggestions import Suggestion
from journey.visitor_codes import VisitorCode

ERASED = "customer.erased"
NOBODY = "erased"


@dataclass
class ErasureSummary:
    """How many rows of each table were made anonymous, and how many removed. ``customer_ids`` are for those who keep
    caches and models, and for nobody else.
    """

    anonymised: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    customer_ids: tuple[str, ...] = ()


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
    summary = ErasureSummary(customer_ids=person.customer_ids)
    _remember_digests(connection, person, now)
    summary.anonymised["outcome_contests"] = _blank_contests(connection, person)
    summary.anonymised["coaching_entries"] = forget_words(connection, {*person.values, *_names(connection, person)})
    for table in IDENTIFIERS:
        _erase_facts(connection, table, person, summary)
    for named, naming in tables_naming_persons():
        gone = delete(named).where(or_(*(column.in_(person.customer_ids) for column in naming)))
        summary.removed[named.name] = connection.execute(gone).rowcount
    values = [value for _, value in person.identifiers]
    connection.execute(delete(IdentityClaim).where(IdentityClaim.value.in_(values)))
    connection.execute(delete(VisitorCode).where(VisitorCode.visitor_id.in_(values)))
    summary.removed["quarantine"] = _erase_quarantine(connection, person)
    summary.removed["analysis_results"] = forget_persons(session)
    _erase_from_audit(connection, person)
    mark_days(connection, "customers", [WHOLE])
    counts = {"anonymised": summary.anonymised, "removed": summary.removed}
    record_act(session, at=now, actor=actor, action=ERASED, subject_kind="customer", subject_id=NOBODY, detail=counts)
    session.flush()
    session.expire_all()
    return summary


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
    if table not in LAYOUTS or not metadata.tables[table].c.customer_id.nullable:
        gone = connection.exec_driver_sql(f"DELETE FROM {table} AS t WHERE {where}", parameters)
        summary.removed[table] = gone.rowcount
        return
    emptied = {"customer_id": "NULL", "customer_ref": "NULL", **dict.fromkeys(LAYOUTS[table].personal, "NULL")}
    if identifier is not None:
        required = not metadata.tables[table].c[identifier[0]].nullable
        emptied[identifier[0]] = f"'{ERASED_VISITOR}'" if required else "NULL"
    sets = ", ".join(f"{name} = {value}" for name, value in emptied.items())
    blanked = connection.exec_driver_sql(f"UPDATE {table} AS t SET {sets} WHERE {where}", parameters)
    summary.anonymised[table] = blanked.rowcount


def _names(connection: Connection, person: Person) -> set[str]:
    rows = connection.execute(select(Customer.name).where(Customer.customer_id.in_(person.customer_ids)))
    return {name for (name,) in rows if name}


def _blank_contests(connection: Connection, person: Person) -> int:
    """Empty what clerk and manager wrote about outcomes of the person's suggestions; the decision stays."""
    theirs = select(Suggestion.suggestion_id).where(
        or_(Suggestion.customer_id.in_(person.customer_ids), Suggestion.customer_ref.in_(person.customer_ids))
    )
    blank = update(OutcomeContest).where(OutcomeContest.suggestion_id.in_(theirs)).values(reason="", answer=None)
    return connection.execute(blank).rowcount


def _erase_from_audit(connection: Connection, person: Person) -> None:
    """Acts stay, without whom they were about; also where another customer's entry names the person."""
    connection.execute(
        update(AuditEntry)
        .where(AuditEntry.subject_kind == "customer", AuditEntry.subject_id.in_(person.customer_ids))
        .values(subject_id=NOBODY, detail=None)
    )
    told = select(AuditEntry.entry_id, AuditEntry.detail).where(AuditEntry.detail.is_not(None))
    values = person.values
    naming = [entry for entry, detail in connection.execute(told) if _mentions(detail, values)]
    for first in range(0, len(naming), 500):
        some = AuditEntry.entry_id.in_(naming[first : first + 500])
        connection.execute(update(AuditEntry).where(some).values(detail=None))


def _mentions(detail: Any, values: set[str]) -> bool:
    if isinstance(detail, dict):
        return any(_mentions(part, values) for part in detail.values())
    if isinstance(detail, list):
        return any(_mentions(part, values) for part in detail)
    return isinstance(detail, str) and detail in values


def _erase_quarantine(connection: Connection, person: Person) -> int:
    ids = [row.row_id for row in in_quarantine(connection, person)]
    for first in range(0, len(ids), 500):
        connection.execute(delete(QuarantinedRow).where(QuarantinedRow.row_id.in_(ids[first : first + 500])))
    return len(ids)
