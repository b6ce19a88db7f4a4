"""Business units and who leads what in them: heads of units, and CoE members who lead an area inside a unit.

A CoE member who leads an area of a unit sees both the unit's and the CoE's side; a head sees the own unit's actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.accounts import Account, find_account
from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import InputError

PARTS = ("head", "lead", "member")


class UnitMember(Base):
    """A person's part in a unit: its head, lead of an area in it, or member. ``area`` is '' where none is meant."""

    __tablename__ = "unit_members"

    unit: Mapped[str] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str]
    since: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class Membership:
    """A line of the organisation as people read it."""

    unit: str
    area: str
    account_id: str
    name: str
    role: str
    part: str


def assign_member(
    session: Session, *, unit: str, area: str, account_id: str, part: str, by: str, now: datetime
) -> UnitMember:
    """Give a person a part in a unit; the same place again changes the part.

    Raises:
        InputError: no unit, an unknown part, or a lead without an area.
        NotFound: no such account.
    """
    unit, area = unit.strip()[:60], area.strip()[:60]
    if not unit:
        raise InputError("a unit needs a name", where="unit", what_to_do="write the name of the business unit")
    if part not in PARTS:
        raise InputError(f"{part!r} is no part", where="part", what_to_do=f"use one of {', '.join(PARTS)}")
    if part == "lead" and not area:
        raise InputError("a lead needs an area", where="area", what_to_do="name the area that the person leads")
    find_account(session, account_id)
    member = session.get(UnitMember, (unit, area, account_id))
    if member is None:
        member = UnitMember(unit=unit, area=area, account_id=account_id, part=part, since=now)
        session.add(member)
    member.part = part
    session.flush()
    record_act(session, at=now, actor=by, action="unit.assigned", subject_kind="account", subject_id=account_id,
               detail={"unit": unit, "area": area, "part": part})  # fmt: skip
    return member


def remove_member(session: Session, *, unit: str, area: str, account_id: str, by: str, now: datetime) -> None:
    """Take a person's part in a unit away."""
    session.execute(
        delete(UnitMember).where(UnitMember.unit == unit, UnitMember.area == area, UnitMember.account_id == account_id)
    )
    record_act(session, at=now, actor=by, action="unit.removed", subject_kind="account", subject_id=account_id,
               detail={"unit": unit, "area": area})  # fmt: skip


def organisation(session: Session) -> list[Membership]:
    """Everybody's part, by unit, heads first."""
    rows = session.execute(
        select(UnitMember, Account.name, Account.role).join(Account, Account.account_id == UnitMember.account_id)
    )
    found = [Membership(m.unit, m.area, m.account_id, name, role, m.part) for m, name, role in rows]
    return sorted(found, key=lambda m: (m.unit, PARTS.index(m.part), m.area, m.name))


def units_of(session: Session, account_id: str) -> list[str]:
    """The units in which a person has a part."""
    return sorted(set(session.scalars(select(UnitMember.unit).where(UnitMember.account_id == account_id))))
