"""A clerk who left, and asks to be forgotten: what was written about the person goes, the chain's counts stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from journey.accounts import Account, PersonSession
from journey.audit import record_act
from journey.clerk_roll_ups import StaffStanding
from journey.coaching import CoachingEntry
from journey.contests import OutcomeContest
from journey.errors import NotFound
from journey.know_how_cards import KnowHowUse
from journey.stores import Clerk

FORGOTTEN = "―"


def forget_clerk(session: Session, clerk_id: str, *, actor: str, now: datetime) -> dict[str, int]:
    """Take away name, account, coaching, reasons of contests and use of cards; returns how many rows each.

    Receipts, suggestions and outcomes keep the bare id, so that yesterday's figures of the store stay what they were.
    Whoever sends the chain's clerks must leave the name out from now on: an import would bring it back.

    Raises:
        NotFound: no such clerk.
    """
    clerk = session.get(Clerk, clerk_id)
    if clerk is None:
        raise NotFound(f"no clerk {clerk_id!r}", where="clerk_id", what_to_do="send the id of a clerk of the record")
    clerk.name, clerk.left_on = FORGOTTEN, clerk.left_on or now.date()
    connection = session.connection()
    accounts = [row.account_id for row in session.query(Account).filter(Account.clerk_id == clerk_id)]
    gone = {
        "coaching_entries": delete(CoachingEntry).where(CoachingEntry.clerk_id == clerk_id),
        "know_how_uses": delete(KnowHowUse).where(KnowHowUse.clerk_id == clerk_id),
        "staff_standings": delete(StaffStanding).where(StaffStanding.clerk_id == clerk_id),
        "person_sessions": delete(PersonSession).where(PersonSession.account_id.in_(accounts)),
        "accounts": delete(Account).where(Account.clerk_id == clerk_id),
        "outcome_contests": update(OutcomeContest)
        .where(OutcomeContest.clerk_id == clerk_id)
        .values(reason="", answer=None),
    }
    session.flush()
    connection.execute(update(CoachingEntry).where(CoachingEntry.author.in_(accounts)).values(author_name=FORGOTTEN))
    done = {name: int(connection.execute(statement).rowcount) for name, statement in gone.items()}
    record_act(session, at=now, actor=actor, action="clerk.forgotten", subject_kind="clerk", subject_id=clerk_id,
               detail=done)  # fmt: skip
    session.flush()
    session.expire_all()
    return done
