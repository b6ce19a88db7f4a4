"""What speaks for and against two customers being one person: log-ins that did not fit, and decisions already made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant

DIFFERENT = "customer.declared_different"


class IdentityClaim(Base):
    """Somebody was named under an identifier that leads to another customer: a second account, or a shared device.

    The link itself never moves by that; a person decides what it means.
    """

    __tablename__ = "identity_claims"
    __table_args__ = (Index(None, "customer_id"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_ref: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    first_at: Mapped[datetime] = mapped_column(Instant)
    last_at: Mapped[datetime] = mapped_column(Instant)
    times: Mapped[int]


class DifferentCustomers(Base):
    """Two customers that a person looked at and found to be two people; never proposed for merging again."""

    __tablename__ = "different_customers"
    __table_args__ = (Index(None, "customer_b"),)

    customer_a: Mapped[str] = mapped_column(primary_key=True)
    customer_b: Mapped[str] = mapped_column(primary_key=True)
    decided_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str]


def note_claim(session: Session, kind: str, value: str, customer_id: str, *, now: datetime) -> None:
    """Remember that this customer was named under somebody else's identifier."""
    known = session.get(IdentityClaim, (kind, value, customer_id))
    if known is None:
        known = IdentityClaim(kind=kind, value=value, customer_ref=customer_id, customer_id=customer_id, first_at=now)
        known.times = 0
        session.add(known)
    known.last_at, known.times = now, known.times + 1
    session.flush()


def declare_different(session: Session, one: str, other: str, *, actor: str, now: datetime) -> None:
    """Two customers are two people; saying so twice changes nothing."""
    first, second = sorted((one, other))
    if session.get(DifferentCustomers, (first, second)) is None:
        session.add(DifferentCustomers(customer_a=first, customer_b=second, decided_at=now, decided_by=actor))
        record_act(
            session, at=now, actor=actor, action=DIFFERENT, subject_kind="customer", subject_id=first,
            detail={"other": second},
        )  # fmt: skip
        session.flush()


def no_longer_different(session: Session, one: str, other: str) -> None:
    """They were merged after all: the earlier decision is void."""
    decision = session.get(DifferentCustomers, tuple(sorted((one, other))))
    if decision is not None:
        session.delete(decision)


def declared_different(session: Session) -> set[tuple[str, str]]:
    """All such pairs, each in ascending order."""
    return {(a, b) for a, b in session.execute(select(DifferentCustomers.customer_a, DifferentCustomers.customer_b))}
