"""Recording what came of a suggestion: once under one id, corrected by a later tap, taken back by undo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from journey.errors import Conflict, InputError, NotFound
from journey.local_days import day_bounds, local_date, store_zone
from journey.outcomes import RESULTS, Outcome
from journey.suggestions import Suggestion
from journey.tablet_clock import true_moment


@dataclass(frozen=True)
class Tap:
    """One tap of a clerk as the tablet tells it; ``sent_at`` is the tablet's clock while it sends."""

    outcome_id: str
    suggestion_id: str
    clerk_id: str
    result: str
    occurred_at: datetime
    why: str | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Recorded:
    """What the record holds now, and whether this call added it."""

    outcome: Outcome
    added: bool


def record_outcome(
    session: Session,
    tap: Tap,
    *,
    now: datetime,
    device_id: str | None = None,
    correct_until: Literal["end of day", "always"] = "always",
) -> Recorded:
    """Record a tap once. The same tap again changes nothing, also after it was taken back.

    The latest tap on a suggestion is its current one, by the moment of the tap (:mod:`journey.tablet_clock`), not of
    its arrival: a tap that waited for a network does not overrule a later one. ``correct_until`` limits how late
    another tap may correct the first: until the end of that day in the store, or without limit.

    Raises:
        NotFound: no such suggestion.
        Conflict: the outcome id exists with other content.
        InputError: no such result, or the day of the first tap is over.
    """
    if tap.result not in RESULTS:
        raise InputError(f"{tap.result!r} is no result", where="result", what_to_do=f"use one of {', '.join(RESULTS)}")
    # The suggestion's row is locked, so that two taps at the same moment are ordered one after the other.
    suggestion = session.scalar(
        select(Suggestion).where(Suggestion.suggestion_id == tap.suggestion_id).with_for_update()
    )
    known = session.get(Outcome, tap.outcome_id)
    if known is not None:
        return Recorded(_same_or_conflict(known, tap), added=False)
    if suggestion is None:
        raise NotFound(
            f"no suggestion {tap.suggestion_id!r}",
            where="suggestion_id",
            what_to_do="ask for suggestions first; only what was shown can have an outcome",
        )
    ordered_at = true_moment(
        tap.occurred_at, received_at=now, sent_at=tap.sent_at, not_before=suggestion.shown_at if device_id else None
    )
    if correct_until == "end of day":
        _refuse_after_the_day(session, suggestion, ordered_at)
    outcome = Outcome(
        outcome_id=tap.outcome_id,
        suggestion_id=tap.suggestion_id,
        clerk_id=tap.clerk_id,
        device_id=device_id,
        occurred_at=tap.occurred_at,
        received_at=now,
        ordered_at=ordered_at,
        result=tap.result,
        why=tap.why,
        current=False,
        retracted_at=None,
    )
    session.add(outcome)
    session.flush()
    choose_current(session, tap.suggestion_id)
    return Recorded(outcome, added=True)


def retract(
    session: Session, outcome_id: str, *, now: datetime, limit: Literal["end of day", "always"] = "always"
) -> Outcome:
    """Take a tap back (undo); the one before it counts again. Twice is the same as once.

    Raises:
        NotFound: no such outcome.
        InputError: the day on which it was recorded is over.
    """
    outcome = session.get(Outcome, outcome_id)
    if outcome is None:
        raise NotFound(f"no outcome {outcome_id!r}", where="outcome_id", what_to_do="send it first, then take it back")
    if outcome.retracted_at is not None:
        return outcome
    suggestion = session.scalar(
        select(Suggestion).where(Suggestion.suggestion_id == outcome.suggestion_id).with_for_update()
    )
    if limit == "end of day" and suggestion is not None:
        latest = max(moment_of(outcome), outcome.received_at or outcome.occurred_at)
        _refuse_when_over(session, suggestion.store_id, latest, now)
    outcome.retracted_at, outcome.current = now, False
    session.flush()
    choose_current(session, outcome.suggestion_id)
    return outcome


def choose_current(session: Session, suggestion_id: str) -> None:
    """Mark the latest tap that was not taken back as the current one, and no other."""
    taps = session.scalars(
        select(Outcome).where(Outcome.suggestion_id == suggestion_id, Outcome.retracted_at.is_(None))
    ).all()
    latest = max(
        taps, key=lambda tap: (moment_of(tap), tap.received_at or tap.occurred_at, tap.outcome_id), default=None
    )
    session.execute(
        update(Outcome)
        .where(Outcome.suggestion_id == suggestion_id)
        .values(current=False)
        .execution_options(synchronize_session="fetch")
    )
    if latest is not None:
        latest.current = True
        session.flush()


def moment_of(outcome: Outcome) -> datetime:
    """The moment that orders an outcome among the others of its suggestion."""
    return outcome.ordered_at or outcome.occurred_at


def _same_or_conflict(known: Outcome, tap: Tap) -> Outcome:
    differing = [
        name
        for name in ("suggestion_id", "clerk_id", "result", "occurred_at", "why")
        if getattr(known, name) != getattr(tap, name)
    ]
    if differing:
        raise Conflict(
            f"outcome {tap.outcome_id} is recorded with other content ({', '.join(differing)})",
            where="outcome_id",
            what_to_do="send a correction under a new id",
            differing=differing,
        )
    return known


def _refuse_after_the_day(session: Session, suggestion: Suggestion, moment: datetime) -> None:
    first = session.scalars(select(Outcome).where(Outcome.suggestion_id == suggestion.suggestion_id)).all()
    if first:
        _refuse_when_over(session, suggestion.store_id, min(map(moment_of, first)), moment)


def _refuse_when_over(session: Session, store_id: str, first: datetime, moment: datetime) -> None:
    tz = store_zone(session, store_id)
    _, end = day_bounds(local_date(first, tz), tz)
    if moment >= end:
        raise InputError(
            "the day of this outcome is over in the store",
            where="outcome_id",
            what_to_do="ask the store manager to have it corrected",
            problem="day-is-over",
            until=end.isoformat(),
        )
