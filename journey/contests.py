"""A clerk contests what is recorded of an own proposal; the manager decides, and the history stays."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import Conflict, InputError, NotAllowed, NotFound
from journey.outcome_recording import Tap, record_outcome, retract
from journey.outcomes import RESULTS, Outcome
from journey.products import Product
from journey.suggestions import Suggestion

NOT_MINE = "not_mine"
WISHES = (*RESULTS, NOT_MINE)
OPEN, UPHELD, REJECTED = ("open", "upheld", "rejected")


class OutcomeContest(Base):
    """What a clerk says was otherwise, and what the manager decided; the outcome before and after stay recorded."""

    __tablename__ = "outcome_contests"
    __table_args__ = (Index(None, "store_id", "state"), Index(None, "clerk_id"), Index(None, "suggestion_id"))

    contest_id: Mapped[str] = mapped_column(primary_key=True)
    outcome_id: Mapped[str]
    suggestion_id: Mapped[str]
    clerk_id: Mapped[str]
    store_id: Mapped[str]
    recorded: Mapped[str]
    wish: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    answer: Mapped[str | None]


@dataclass(frozen=True)
class ContestRow:
    """A contest with the product it is about."""

    contest: OutcomeContest
    product_name: str | None
    shown_at: datetime | None


def contest_outcome(
    session: Session, outcome_id: str, *, clerk_id: str, wish: str, reason: str, actor: str, now: datetime
) -> OutcomeContest:
    """Contest an own outcome with a reason.

    Raises:
        NotFound: no such outcome.
        NotAllowed: it is another clerk's.
        InputError: no reason, or a wish that is what is recorded already.
        Conflict: it is contested already.
    """
    outcome = session.get(Outcome, outcome_id)
    if outcome is None or outcome.retracted_at is not None:
        raise NotFound(f"no outcome {outcome_id!r}", where="outcome_id", what_to_do="choose one of your own")
    suggestion = session.get(Suggestion, outcome.suggestion_id)
    if outcome.clerk_id != clerk_id or suggestion is None:
        raise NotAllowed("this outcome is a colleague's", where="outcome_id", what_to_do="contest your own only")
    if not reason.strip():
        raise InputError("is empty", where="reason", what_to_do="say in one sentence what was otherwise")
    if wish not in WISHES or wish == outcome.result:
        raise InputError(f"{wish!r} changes nothing", where="wish", what_to_do="say what it should be")
    waiting = select(OutcomeContest).where(OutcomeContest.outcome_id == outcome_id, OutcomeContest.state == OPEN)
    if session.scalar(waiting) is not None:
        raise Conflict("this outcome is contested already", where="outcome_id", what_to_do="wait for the decision")
    contest = OutcomeContest(
        contest_id=str(uuid.uuid4()), outcome_id=outcome_id, suggestion_id=outcome.suggestion_id, clerk_id=clerk_id,
        store_id=suggestion.store_id, recorded=outcome.result, wish=wish, reason=reason.strip(), opened_at=now,
        state=OPEN, decided_by=None, decided_at=None, answer=None,
    )  # fmt: skip
    session.add(contest)
    record_act(session, at=now, actor=actor, action="outcome.contested", subject_kind="outcome", subject_id=outcome_id)
    session.flush()
    return contest


def decide_contest(
    session: Session, contest_id: str, *, uphold: bool, answer: str, by: str, actor: str, now: datetime
) -> OutcomeContest:
    """Uphold a contest, which corrects the outcome by a new one (or takes it back), or reject it with an answer.

    Raises:
        NotFound: no such contest.
        Conflict: it is decided already.
        InputError: rejected without an answer.
    """
    contest = contest_of(session, contest_id, lock=True)
    if contest.state != OPEN:
        raise Conflict("this contest is decided already", where="contest_id", what_to_do="reload the page")
    if not uphold and not answer.strip():
        raise InputError("is empty", where="answer", what_to_do="tell the clerk why")
    if uphold and contest.wish == NOT_MINE:
        retract(session, contest.outcome_id, now=now)
    elif uphold:
        tap = Tap(str(uuid.uuid4()), contest.suggestion_id, contest.clerk_id, contest.wish, occurred_at=now,
                  why=f"contest {contest_id}")  # fmt: skip
        record_outcome(session, tap, now=now)
    contest.state = UPHELD if uphold else REJECTED
    contest.decided_by, contest.decided_at, contest.answer = by, now, answer.strip() or None
    record_act(
        session, at=now, actor=actor, action=f"outcome.contest_{contest.state}", subject_kind="outcome",
        subject_id=contest.outcome_id, detail={"contest": contest_id, "from": contest.recorded, "to": contest.wish},
    )  # fmt: skip
    session.flush()
    return contest


def contest_of(session: Session, contest_id: str, *, lock: bool = False) -> OutcomeContest:
    """The contest of that id. Raises NotFound."""
    query = select(OutcomeContest).where(OutcomeContest.contest_id == contest_id)
    contest = session.scalar(query.with_for_update() if lock else query)
    if contest is None:
        raise NotFound(f"no contest {contest_id!r}", where="contest_id", what_to_do="look at the list of the store")
    return contest


def contests(
    session: Session, *, store_id: str | None = None, clerk_id: str | None = None, state: str | None = None
) -> list[ContestRow]:
    """Contests of a store or a clerk: those that wait first, then the latest."""
    query = (
        select(OutcomeContest, Product.name, Suggestion.shown_at)
        .outerjoin(Suggestion, Suggestion.suggestion_id == OutcomeContest.suggestion_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .order_by((OutcomeContest.state != OPEN), OutcomeContest.opened_at.desc(), OutcomeContest.contest_id)
    )
    for column, wanted in (
        (OutcomeContest.store_id, store_id),
        (OutcomeContest.clerk_id, clerk_id),
        (OutcomeContest.state, state),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return [ContestRow(contest, name, shown_at) for contest, name, shown_at in session.execute(query)]
