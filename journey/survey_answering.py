"""What happens when a customer taps: the link's token becomes one sheet of answers, once.

Two taps at the same moment count once: the row of the invitation decides. The comment may follow the tap, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from journey.errors import InputError, NotFound
from journey.intake.rows import import_rows
from journey.questionnaires import Question, Questionnaire, find_version
from journey.stores import DEFAULT_TIMEZONE
from journey.survey_invitations import Invitation
from journey.survey_tasks import open_tasks_of_low_scores
from journey.surveys import Answer
from journey.tokens import hashed

LONGEST_COMMENT = 1000
SOURCE = "/survey"


@dataclass(frozen=True)
class Sheet:
    """What a link leads to: the invitation, its questionnaire, and where the customer stands."""

    invitation: Invitation
    questionnaire: Questionnaire
    expired: bool
    mark: float | None = None
    """What was answered to the first question."""

    @property
    def state(self) -> str:
        """open, answered (a comment may follow), finished, or expired."""
        if self.invitation.answered_at is not None:
            return "finished" if self.invitation.commented_at or self.comment is None or self.expired else "answered"
        return "expired" if self.expired else "open"

    @property
    def comment(self) -> Question | None:
        """The question for words after this mark, if there is one."""
        if self.mark is None:
            return None
        words = (question for question in self.questionnaire.asked if question.look == "comment")
        return next((question for question in words if question.asked_after(self.mark)), None)


def sheet_of(session: Session, token: str, *, now: datetime) -> Sheet:
    """The sheet behind a link's token.

    Raises:
        NotFound: no invitation has this token; one wording whatever the cause.
    """
    invitation = session.scalar(select(Invitation).where(Invitation.token_hash == hashed(token)))
    if invitation is None:
        raise NotFound("this link leads to no survey", where="survey", what_to_do="open the link of the message again")
    questionnaire = find_version(session, invitation.survey_id, invitation.version)
    return Sheet(invitation, questionnaire, now >= invitation.expires_at, _mark(session, invitation, questionnaire.tap))


def answer(
    session: Session, token: str, marks: Mapping[str, str], *, now: datetime, timezone: str = DEFAULT_TIMEZONE
) -> Sheet:
    """Keep a customer's marks, by field; a second time, or after the link's end, nothing changes.

    The first question must be answered; others may be left out. A low mark opens a follow-up at once.

    Raises:
        NotFound: no such link.
        InputError: a mark that is not on its scale, or none on the first question.
    """
    sheet = sheet_of(session, token, now=now)
    if sheet.state != "open":
        return sheet
    given = _marks(sheet.questionnaire, marks)
    invitation, response_id = sheet.invitation, secrets.token_hex(16)
    taken = session.execute(
        update(Invitation)
        .where(Invitation.invitation_id == invitation.invitation_id, Invitation.answered_at.is_(None))
        .values(answered_at=now, response_id=response_id)
    )
    if taken.rowcount == 0:  # type: ignore[attr-defined]
        session.refresh(invitation)
        return sheet_of(session, token, now=now)
    session.refresh(invitation)
    rows = [
        _row(invitation, question, now) | {"score": mark, "scale_min": question.low, "scale_max": question.high}
        for question, mark in given
    ]
    _keep(session, rows, now, timezone)
    open_tasks_of_low_scores(session, sheet.questionnaire, since=now - timedelta(seconds=1), now=now, timezone=timezone)
    return Sheet(invitation, sheet.questionnaire, sheet.expired, float(given[0][1]))


def comment(session: Session, token: str, words: str, *, now: datetime, timezone: str = DEFAULT_TIMEZONE) -> Sheet:
    """Keep the words that follow a tap, once; empty ones only end the sheet.

    Raises:
        NotFound: no such link.
        InputError: nothing was answered yet.
    """
    sheet = sheet_of(session, token, now=now)
    if sheet.state in ("finished", "expired"):
        return sheet
    if sheet.state == "open":
        raise InputError("a mark comes first", where="survey", what_to_do="tap a face first")
    invitation, words = sheet.invitation, " ".join(words.split())[:LONGEST_COMMENT]
    taken = session.execute(
        update(Invitation)
        .where(Invitation.invitation_id == invitation.invitation_id, Invitation.commented_at.is_(None))
        .values(commented_at=now)
    )
    session.refresh(invitation)
    if taken.rowcount and words:  # type: ignore[attr-defined]
        assert sheet.comment is not None
        _keep(session, [_row(invitation, sheet.comment, now) | {"comment": words}], now, timezone)
    return sheet


def _mark(session: Session, invitation: Invitation, tap: Question) -> float | None:
    """What was answered to the first question; None before."""
    if invitation.response_id is None:
        return None
    return session.scalar(
        select(Answer.score).where(
            Answer.response_id == invitation.response_id, Answer.question == tap.question,
            Answer.touchpoint == tap.touchpoint,
        )
    )  # fmt: skip


def _marks(questionnaire: Questionnaire, marks: Mapping[str, str]) -> list[tuple[Question, int]]:
    given = []
    for question in questionnaire.asked:
        raw = marks.get(question.field, "")
        if question.look == "comment" or raw == "":
            continue
        if not raw.isascii() or not raw.isdigit() or not question.low <= int(raw[:4]) <= question.high:
            raise InputError(
                "this mark is not on the scale", where=question.field, what_to_do="choose one of the marks"
            )
        given.append((question, int(raw[:4])))
    if not given or given[0][0].field != questionnaire.tap.field:
        raise InputError(
            "the first question is not answered", where=questionnaire.tap.field, what_to_do="choose a mark"
        )
    return given


def _row(invitation: Invitation, question: Question, now: datetime) -> dict[str, Any]:
    return {
        "response_id": invitation.response_id,
        "question": question.question,
        "touchpoint": question.touchpoint,
        "survey_id": invitation.survey_id,
        "customer_id": invitation.customer_ref or invitation.customer_id,
        "store_id": invitation.store_id,
        "asked_at": invitation.made_at.isoformat(),
        "answered_at": now.isoformat(),
    }


def _keep(session: Session, rows: list[dict[str, Any]], now: datetime, timezone: str) -> None:
    taken = import_rows(session, "answers", rows, source=SOURCE, now=now, timezone=timezone, keep_rejected=False)
    if taken.kept_out:
        raise InputError(taken.kept_out[0].reason, where="answers", what_to_do="report this to the CoE")
