"""One ID in acts: link an identifier, merge two customers, take a merge back – all audited, all reversible."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.audit import record_act
from journey.customers import Customer
from journey.errors import Conflict, InputError, NotFound
from journey.identity import KINDS, Identity, Merge, apply_merges, roots
from journey.linking import assign_by_identifier

MERGED, SPLIT, LINKED, UNLINKED = "customer.merged", "customer.split", "customer.linked", "customer.unlinked"


def link(session: Session, kind: str, value: str, customer_id: str, *, actor: str, now: datetime) -> int:
    """Link an identifier to a customer; what was anonymous under it becomes theirs.

    Returns:
        How many facts changed hands; 0 where the link was there already.

    Raises:
        InputError: no such kind of identifier, or an empty value.
        NotFound: no such customer.
        Conflict: the identifier leads to somebody else; a shared card or tablet is never moved silently.
    """
    if kind not in KINDS or not value:
        raise InputError(f"no identifier {kind!r}", where="kind", what_to_do=f"use one of {', '.join(KINDS)}")
    customer = _present(session, customer_id)
    one_id = customer.merged_into or customer.customer_id
    known = session.get(Identity, (kind, value))
    if known is not None:
        if known.customer_id != one_id:
            raise Conflict(
                f"this {kind} leads to another customer",
                where="identity",
                what_to_do="if both are one person, merge them: osusume customer merge",
                customer_id=known.customer_id,
            )
        return 0
    session.add(Identity(kind=kind, value=value, customer_ref=customer_id, customer_id=one_id, linked_at=now))
    session.flush()
    moved = assign_by_identifier(session.connection(), kind, [value])
    _note(session, LINKED, one_id, actor, now, {"kind": kind, "facts": moved})
    session.expire_all()
    return moved


def unlink(session: Session, kind: str, value: str, *, actor: str, now: datetime) -> int:
    """Take an identifier from its customer: what was theirs by it alone is anonymous again.

    Returns:
        How many facts changed hands.

    Raises:
        NotFound: nobody has this identifier.
    """
    known = session.get(Identity, (kind, value))
    if known is None:
        raise NotFound(f"no {kind} with this value", where="value", what_to_do="see: osusume customer show ID")
    one_id = known.customer_id
    session.delete(known)
    session.flush()
    moved = assign_by_identifier(session.connection(), kind, [value])
    _note(session, UNLINKED, one_id, actor, now, {"kind": kind, "facts": moved})
    session.expire_all()
    return moved


def merge(
    session: Session,
    survivor_id: str,
    merged_id: str,
    *,
    actor: str,
    now: datetime,
    evidence: dict[str, Any] | None = None,
) -> Merge:
    """Declare two customers one person; every fact of both leads to the survivor from now on.

    Raises:
        NotFound: one of them is not known, or was erased.
        Conflict: they are one person already.
    """
    survivor, merged = _present(session, survivor_id), _present(session, merged_id)
    winner, loser = (c.merged_into or c.customer_id for c in (survivor, merged))
    if winner == loser:
        raise Conflict("they are one customer already", where=f"{survivor_id}, {merged_id}")
    made = Merge(survivor_id=winner, merged_id=loser, merged_at=now, merged_by=actor, evidence=evidence)
    session.add(made)
    session.flush()
    moved = apply_merges(session.connection(), [winner, loser])
    _note(session, MERGED, winner, actor, now, {"merge_id": made.merge_id, "merged_id": loser, "facts": moved})
    session.expire_all()
    session.refresh(made)
    return made


def undo_merge(session: Session, merge_id: int, *, actor: str, now: datetime) -> Merge:
    """Take a merge back: every fact returns to whom it was delivered for.

    Raises:
        NotFound: no such merge.
        Conflict: it was undone before.
    """
    made = session.get(Merge, merge_id)
    if made is None:
        raise NotFound(f"no merge {merge_id}", where="merge_id", what_to_do="see: osusume customer show ID")
    if made.undone_at is not None:
        raise Conflict(f"merge {merge_id} was undone already", where="merge_id")
    connection = session.connection()
    people = list(roots(connection, [made.survivor_id, made.merged_id]))
    made.undone_at, made.undone_by = now, actor
    session.flush()
    moved = apply_merges(connection, people)
    detail = {"merge_id": merge_id, "merged_id": made.merged_id, "facts": moved}
    _note(session, SPLIT, made.survivor_id, actor, now, detail)
    session.expire_all()
    session.refresh(made)
    return made


def split(session: Session, customer_id: str, *, actor: str, now: datetime) -> Merge:
    """Undo the merge that joined this customer to another; of a survivor, the latest one.

    Raises:
        NotFound: no such customer.
        Conflict: no merge in force concerns them.
    """
    _present(session, customer_id)
    in_force = select(Merge).where(Merge.undone_at.is_(None)).order_by(Merge.merge_id.desc())
    made = session.scalars(in_force.where(Merge.merged_id == customer_id)).first()
    made = made or session.scalars(in_force.where(Merge.survivor_id == customer_id)).first()
    if made is None:
        raise Conflict(
            f"customer {customer_id} is not merged with anybody", where="customer_id", what_to_do="nothing to split"
        )
    return undo_merge(session, made.merge_id, actor=actor, now=now)


def merges_of(session: Session, customer_id: str) -> list[Merge]:
    """Every merge that concerns this customer or whom they were joined to, undone ones too, oldest first."""
    people = list(roots(session.connection(), [customer_id]))
    concerned = Merge.survivor_id.in_(people) | Merge.merged_id.in_(people)
    return list(session.scalars(select(Merge).where(concerned).order_by(Merge.merge_id)))


def identities_of(session: Session, customer_id: str) -> list[Identity]:
    """Every identifier that leads to a customer, by kind and value."""
    found = select(Identity).where(Identity.customer_id == customer_id).order_by(Identity.kind, Identity.value)
    return list(session.scalars(found))


def _present(session: Session, customer_id: str) -> Customer:
    customer = session.get(Customer, customer_id)
    if customer is None or customer.erased_at is not None:
        raise NotFound(f"no customer {customer_id!r}", where="customer_id", what_to_do="search by name or card")
    return customer


def _note(session: Session, action: str, customer: str, actor: str, now: datetime, detail: dict[str, Any]) -> None:
    record_act(session, at=now, actor=actor, action=action, subject_kind="customer", subject_id=customer, detail=detail)
    session.flush()
