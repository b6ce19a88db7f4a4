"""Coaching between a manager and a clerk: notes, and goals with a date. Both see all of it, nobody else does."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection, Index, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import InputError, NotAllowed, NotFound

ERASED = "―"  # stands where an erased customer was named
NOTE, GOAL = KINDS = ("note", "goal")
# what a goal may be about: handling that a clerk can decide on; never a rate of success, which customers decide
MEASURES = ("recorded_share", "kept_share", "seconds_to_attend", "proposed_per_service")


class CoachingEntry(Base):
    """A note, or a goal: a ``measure`` that should reach ``target`` by ``due_on``. ``author`` is an account."""

    __tablename__ = "coaching_entries"
    __table_args__ = (Index(None, "clerk_id", "written_at"),)

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    clerk_id: Mapped[str]
    store_id: Mapped[str]
    kind: Mapped[str]
    author: Mapped[str]
    author_name: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(Instant)
    text: Mapped[str]
    measure: Mapped[str | None]
    target: Mapped[float | None]
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None] = mapped_column(Instant)


def write_entry(
    session: Session,
    *,
    clerk_id: str,
    store_id: str,
    author: str,
    author_name: str,
    text: str,
    now: datetime,
    measure: str | None = None,
    target: float | None = None,
    due_on: date | None = None,
) -> CoachingEntry:
    """Keep a note, or a goal where a date is given.

    Raises:
        InputError: no text, or a measure that no goal is about.
    """
    if not text.strip():
        raise InputError("is empty", where="text", what_to_do="write a sentence")
    if measure is not None and (measure not in MEASURES or target is None):
        raise InputError("is no goal", where="measure", what_to_do=f"use one of {', '.join(MEASURES)} with a target")
    entry = CoachingEntry(
        entry_id=str(uuid.uuid4()), clerk_id=clerk_id, store_id=store_id, kind=GOAL if due_on else NOTE, author=author,
        author_name=author_name, written_at=now, text=text.strip(), measure=measure, target=target, due_on=due_on,
        done_at=None,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    return entry


def close_goal(session: Session, entry_id: str, *, clerk_id: str, now: datetime) -> CoachingEntry:
    """Mark a goal as reached; twice is the same as once. Raises NotFound."""
    entry = _entry(session, entry_id, clerk_id)
    entry.done_at = entry.done_at or now
    session.flush()
    return entry


def remove_entry(session: Session, entry_id: str, *, clerk_id: str, author: str, now: datetime) -> None:
    """Remove an own entry for good.

    Raises:
        NotFound: no such entry of this clerk.
        NotAllowed: somebody else wrote it.
    """
    entry = _entry(session, entry_id, clerk_id)
    if entry.author != author:
        raise NotAllowed("somebody else wrote this", where="entry_id", what_to_do="remove only what you wrote")
    session.delete(entry)
    record_act(session, at=now, actor=f"account:{author}", action="coaching.removed", subject_kind="clerk",
               subject_id=clerk_id)  # fmt: skip
    session.flush()


def forget_words(connection: Connection, words: Collection[str]) -> int:
    """Take these words (ids, names) out of what was written; returns how many entries named them."""
    names = [word for word in words if word.strip()]
    if not names:
        return 0
    columns = (CoachingEntry.entry_id, CoachingEntry.text)
    found = connection.execute(
        select(*columns).where(or_(*(CoachingEntry.text.contains(n, autoescape=True) for n in names)))
    )
    rows = found.all()
    for entry_id, text in rows:
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, ERASED)
        connection.execute(update(CoachingEntry).where(CoachingEntry.entry_id == entry_id).values(text=text))
    return len(rows)


def entries(session: Session, clerk_id: str) -> list[CoachingEntry]:
    """All entries about a clerk: open goals first, then the latest."""
    query = select(CoachingEntry).where(CoachingEntry.clerk_id == clerk_id)
    found = session.scalars(query.order_by(CoachingEntry.written_at.desc(), CoachingEntry.entry_id))
    return sorted(found, key=lambda entry: not (entry.kind == GOAL and entry.done_at is None))


def _entry(session: Session, entry_id: str, clerk_id: str) -> CoachingEntry:
    entry = session.get(CoachingEntry, entry_id)
    if entry is None or entry.clerk_id != clerk_id:
        raise NotFound(f"no entry {entry_id!r}", where="entry_id", what_to_do="reload the page")
    return entry
