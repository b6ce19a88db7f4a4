"""Customers: one row per person as far as we know, and what clerks noted about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class Customer(Base):
    """A person. ``search_key`` is name and kana normalised for search; ``merged_into`` names the One ID."""

    __tablename__ = "customers"
    __table_args__ = (Index(None, "merged_into"),)

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    kana: Mapped[str | None]
    joined_on: Mapped[date | None]
    birth_year: Mapped[int | None]
    gender: Mapped[str | None]
    area: Mapped[str | None]
    tier: Mapped[str | None]
    consent_profiling: Mapped[bool | None]
    consent_contact: Mapped[bool | None]
    search_key: Mapped[str | None]
    merged_into: Mapped[str | None]
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    stub: Mapped[bool] = mapped_column(default=False)


class CustomerNote(Base):
    """A clerk's note on a customer, seen by staff only."""

    __tablename__ = "customer_notes"
    __table_args__ = (Index(None, "customer_id"),)

    note_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    clerk_id: Mapped[str]
    store_id: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(Instant)
    text: Mapped[str]


def customers_by_id(session: Session, customer_ids: Iterable[str]) -> dict[str, Customer]:
    """These customers, as far as they are known, erased ones left out."""
    wanted = set(customer_ids)
    found = session.scalars(select(Customer).where(Customer.customer_id.in_(wanted), Customer.erased_at.is_(None)))
    return {one.customer_id: one for one in found}


def profiling_refused(session: Session, *, by_default: bool) -> frozenset[str]:
    """Customers whose behaviour may not be used: who said no and, where the chain has set so, who said nothing."""
    refused = Customer.consent_profiling.is_(False)
    condition = refused | Customer.consent_profiling.is_(None) if by_default else refused
    return frozenset(session.scalars(select(Customer.customer_id).where(condition)))


def present_customers(session: Session) -> frozenset[str]:
    """Customers who are people of their own today: neither merged into another nor erased."""
    return frozenset(session.scalars(select(Customer.customer_id).where(Customer.merged_into.is_(None))))


def customer_names(session: Session, customer_ids: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
    """Customer id → name and reading, of those who are there."""
    rows = session.execute(
        select(Customer.customer_id, Customer.name, Customer.kana).where(
            Customer.customer_id.in_(list(customer_ids)), Customer.erased_at.is_(None)
        )
    )
    return {row.customer_id: (row.name, row.kana) for row in rows}


def customer_groups(session: Session) -> dict[str, list[str]]:
    """The tiers and areas that customers are in, by name."""
    groups: dict[str, list[str]] = {}
    for name, column in (("tier", Customer.tier), ("area", Customer.area)):
        found = session.scalars(select(column).distinct())
        groups[name] = sorted(member for member in found if member)
    return groups
