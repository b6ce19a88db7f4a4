"""When clerks can be planned, and the rules that a store's plan keeps: what a manager tells the planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base
from journey.errors import InputError, NotFound
from journey.stores import Clerk

SLOTS = 96  # quarter hours of a day
WEEKDAYS = 7


class ClerkTerms(Base):
    """How many hours a week a clerk works at most; whoever is not ``plannable`` is left out of plans."""

    __tablename__ = "clerk_terms"

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    week_hours: Mapped[float]
    plannable: Mapped[bool]


class ClerkAvailability(Base):
    """From which to before which quarter hour a clerk can work on a weekday (Monday 0); no row: not at all."""

    __tablename__ = "clerk_availability"

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    first_slot: Mapped[int]
    last_slot: Mapped[int]


class ClerkDayOff(Base):
    """A day on which a clerk asked to be off (希望休)."""

    __tablename__ = "clerk_days_off"

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class StoreRules(Base):
    """The labour rules of a store; ``hour_cost`` is what an hour of a clerk costs, empty where nobody said."""

    __tablename__ = "store_rules"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    shortest_hours: Mapped[float]
    longest_hours: Mapped[float]
    week_hours: Mapped[float]
    rest_hours: Mapped[float]
    day_off_in: Mapped[int]
    hour_cost: Mapped[float | None]


@dataclass(frozen=True)
class Terms:
    """What is known of one clerk; ``hours`` maps a weekday to (first, past-the-last slot); ``told`` by a person."""

    clerk_id: str
    name: str
    week_hours: float
    plannable: bool
    hours: Mapping[int, tuple[int, int]]
    days_off: frozenset[date]
    told: bool


def clerk_terms(session: Session, store_id: str, *, today: date, week_hours: float) -> list[Terms]:
    """The terms of all who work in the store today, by name; *week_hours* where nobody said otherwise."""
    clerks = session.scalars(
        select(Clerk)
        .where(Clerk.store_id == store_id, or_(Clerk.left_on.is_(None), Clerk.left_on > today))
        .order_by(Clerk.name, Clerk.clerk_id)
    ).all()
    ids = [clerk.clerk_id for clerk in clerks]
    told = {row.clerk_id: row for row in session.scalars(select(ClerkTerms).where(ClerkTerms.clerk_id.in_(ids)))}
    hours: dict[str, dict[int, tuple[int, int]]] = {}
    for row in session.scalars(select(ClerkAvailability).where(ClerkAvailability.clerk_id.in_(ids))):
        hours.setdefault(row.clerk_id, {})[row.weekday] = (row.first_slot, row.last_slot)
    off: dict[str, set[date]] = {}
    wanted = select(ClerkDayOff).where(ClerkDayOff.clerk_id.in_(ids), ClerkDayOff.day >= today)
    for asked in session.scalars(wanted):
        off.setdefault(asked.clerk_id, set()).add(asked.day)
    return [
        Terms(
            clerk.clerk_id,
            clerk.name,
            told[clerk.clerk_id].week_hours if clerk.clerk_id in told else week_hours,
            told[clerk.clerk_id].plannable if clerk.clerk_id in told else True,
            hours.get(clerk.clerk_id, {}),
            frozenset(off.get(clerk.clerk_id, ())),
            clerk.clerk_id in told,
        )
        for clerk in clerks
    ]


def keep_terms(
    session: Session,
    clerk_id: str,
    *,
    store_id: str,
    week_hours: float,
    plannable: bool,
    hours: Mapping[int, tuple[int, int]],
    days_off: frozenset[date],
    actor: str,
    now: datetime,
) -> None:
    """Keep what a manager says of a clerk, in place of what was known.

    Raises:
        NotFound: no such clerk in this store.
        InputError: hours or weekdays that cannot be.
    """
    clerk = session.get(Clerk, clerk_id)
    if clerk is None or clerk.store_id != store_id:
        raise NotFound(f"no clerk {clerk_id!r} here", where="clerk_id", what_to_do="choose one of this store's clerks")
    if not 0 < week_hours <= 60:
        raise InputError(f"{week_hours} hours a week", where="week_hours", what_to_do="give more than 0, at most 60")
    for weekday, (first, last) in hours.items():
        if not (0 <= weekday < WEEKDAYS and 0 <= first < last <= SLOTS):
            raise InputError(f"weekday {weekday}, {first}–{last}", where="hours", what_to_do="end after the beginning")
    for table in (ClerkTerms, ClerkAvailability, ClerkDayOff):
        session.execute(delete(table).where(table.clerk_id == clerk_id))
    session.add(ClerkTerms(clerk_id=clerk_id, week_hours=week_hours, plannable=plannable))
    session.add_all(
        ClerkAvailability(clerk_id=clerk_id, weekday=weekday, first_slot=first, last_slot=last)
        for weekday, (first, last) in hours.items()
    )
    session.add_all(ClerkDayOff(clerk_id=clerk_id, day=day) for day in days_off)
    record_act(session, at=now, actor=actor, action="terms.changed", subject_kind="clerk", subject_id=clerk_id)


def store_rules(session: Session, store_id: str) -> StoreRules | None:
    """The rules that the manager set; None where those of the law hold."""
    return session.get(StoreRules, store_id)


def keep_rules(session: Session, rules: StoreRules, *, actor: str, now: datetime) -> None:
    """Keep a store's rules.

    Raises:
        InputError: rules that contradict themselves, or allow less rest than a night.
    """
    if not 0 < rules.shortest_hours <= rules.longest_hours <= 12:
        raise InputError("shifts from some hours to at most 12", where="shortest_hours", what_to_do="swap the two")
    if not (0 < rules.week_hours <= 40 and 8 <= rules.rest_hours <= 16 and 2 <= rules.day_off_in <= 7):
        raise InputError(
            "at most 40 hours a week, 8–16 hours of rest, a day off in 2–7 days", where="week_hours",
            what_to_do="stay within the law",
        )  # fmt: skip
    if rules.hour_cost is not None and not 0 < rules.hour_cost < 1e7:
        raise InputError(
            f"an hour for {rules.hour_cost}", where="hour_cost", what_to_do="give a cost, or leave it empty"
        )
    session.merge(rules)
    record_act(session, at=now, actor=actor, action="rules.changed", subject_kind="store", subject_id=rules.store_id)
