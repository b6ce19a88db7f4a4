"""One ID: cards, cookies, app and EC accounts, hashed e-mails and phones that lead to one customer.

Facts keep what was delivered (``customer_ref``, ``card_no``, ``visitor_id``) beside what it resolved to
(``customer_id``), so that links made later, merges and splits can be applied and taken back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant
from journey.fact_days import WHOLE, mark_days
from journey.linking import among, assign_of_customers

VISITOR_KINDS = ("cookie", "app")
KINDS = ("card", "app", "cookie", "ec_account", "email_hash", "phone_hash")


class Identity(Base):
    """An identifier that points to a customer; ``customer_ref`` as delivered, ``customer_id`` as resolved."""

    __tablename__ = "identities"
    __table_args__ = (Index(None, "customer_id"), Index(None, "value"))

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_ref: Mapped[str]
    customer_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(Instant)


class Merge(Base):
    """Two customers declared to be one person, with who said so and why; undone, never deleted."""

    __tablename__ = "merges"
    __table_args__ = (
        UniqueConstraint("survivor_id", "merged_id", "merged_at"),
        Index(None, "merged_id"),
        Index(None, "survivor_id"),
    )

    merge_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    survivor_id: Mapped[str]
    merged_id: Mapped[str]
    merged_at: Mapped[datetime] = mapped_column(Instant)
    merged_by: Mapped[str]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_by: Mapped[str | None]


def owner(session: Session, kind: str, value: str) -> str | None:
    """The One ID that an identifier leads to."""
    found = session.get(Identity, (kind, value))
    return found.customer_id if found is not None else None


def linked_values(session: Session, values: Collection[str]) -> set[str]:
    """Which of these cookies and app codes are linked to somebody."""
    linked = select(Identity.value).where(Identity.value.in_(values), Identity.kind.in_(VISITOR_KINDS))
    return set(session.scalars(linked))


def latest_merges(session: Session, *, limit: int) -> list[Merge]:
    """The merges in force, the latest first."""
    in_force = select(Merge).where(Merge.undone_at.is_(None)).order_by(Merge.merged_at.desc(), Merge.merge_id.desc())
    return list(session.scalars(in_force.limit(limit)))


def owner_of_visitor(session: Session, visitor_id: str) -> str | None:
    """The One ID that a cookie or app code leads to, if log-in has linked it."""
    linked = select(Identity.kind, Identity.customer_id).where(
        Identity.value == visitor_id, Identity.kind.in_(VISITOR_KINDS)
    )
    found = {row.kind: row.customer_id for row in session.execute(linked)}
    return next((found[kind] for kind in VISITOR_KINDS if kind in found), None)


def roots(connection: Connection, customers: Collection[str]) -> dict[str, str]:
    """The One ID of every customer that merges in force join to these, themselves among them."""
    partners: dict[str, str] = {}
    met, new = set(customers), set(customers)
    while new:
        some, given = among(connection, sorted(new))
        links = connection.exec_driver_sql(
            f"SELECT merged_id, survivor_id FROM merges WHERE undone_at IS NULL AND merged_id {some} "
            f"UNION SELECT merged_id, survivor_id FROM merges WHERE undone_at IS NULL AND survivor_id {some}",
            (given, given),
        )
        found: dict[str, str] = {}
        found.update((merged, survivor) for merged, survivor in links)
        partners.update(found)
        new = (set(found) | set(found.values())) - met
        met |= new

    def root(customer: str) -> str:
        seen = {customer}
        while customer in partners and partners[customer] not in seen:
            customer = partners[customer]
            seen.add(customer)
        return customer

    return {customer: root(customer) for customer in met}


def apply_merges(connection: Connection, customers: Collection[str]) -> int:
    """Bring ``merged_into``, identities and facts of these customers to what the merges in force say.

    Returns:
        How many facts now belong to another customer than before.
    """
    one_ids = roots(connection, customers)
    postgres = connection.dialect.name == "postgresql"
    mark = "%s" if postgres else "?"
    for customer, one_id in one_ids.items():
        connection.exec_driver_sql(
            f"UPDATE customers SET merged_into = {mark} WHERE customer_id = {mark}",
            (None if one_id == customer else one_id, customer),
        )
    mark_days(connection, "customers", [WHOLE])
    return assign_of_customers(connection, list(one_ids))
