"""Questionnaires as data: versions that the CoE drafts and publishes; a published version never changes.

A version says what is asked, of whom, how often at most, and from which mark on somebody follows up. The survey of the
record (:class:`journey.surveys.Survey`) is named by its id, so that answers of all versions stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import Conflict, InputError, NotFound
from journey.surveys import Survey

KINDS = ("one_tap", "periodic")
LOOKS = ("faces", "scale", "comment")
TOUCHPOINTS = ("store", "ec", "app", "delivery", "call")
QUESTION = re.compile(
    r"nps|overall|touchpoint|expectation|return_intent|comment|(rational|emotional)_[a-z_]{1,30}|x_[a-z_]{1,30}"
)
MOST_QUESTIONS = 20


@dataclass(frozen=True)
class Question:
    """One question: its name in the answers, the touchpoint it is about ('' for none), look, scale and words.

    A comment has no scale: there ``low`` to ``high`` are the marks of the first question after which it is asked, so
    that who was not content is asked what fell short; 0 and 0: after every mark.
    """

    question: str
    touchpoint: str
    look: str
    low: int
    high: int
    ja: str
    en: str

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return f"{self.question}:{self.touchpoint}"

    def asked_after(self, mark: float) -> bool:
        """Whether a comment is asked after this mark on the first question."""
        return (self.low, self.high) == (0, 0) or self.low <= mark <= self.high


@dataclass(frozen=True)
class Sampling:
    """Who is asked, and what follows.

    share: of the occasions (visits, deliveries, or customers of a period), drawn by a hash. quarantine_days: nobody is
    asked again by any survey within these days. store_day_quota: most invitations of one store on one day. delay_hours:
    after the occasion. valid_days: how long a link works. low_score: marks of the first question up to this one open a
    follow-up (None: none). follow_up_days: until when. period_days: a periodic survey asks anew after so many days.
    """

    share: float = 0.2
    quarantine_days: int = 60
    store_day_quota: int = 20
    delay_hours: int = 2
    valid_days: int = 7
    low_score: int | None = 2
    follow_up_days: int = 3
    period_days: int = 182


class Questionnaire(Base):
    """A version of a survey's questionnaire: draft, published or retired; at most one version is published."""

    __tablename__ = "questionnaires"

    survey_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    touchpoint: Mapped[str | None]
    questions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    share: Mapped[float]
    quarantine_days: Mapped[int]
    store_day_quota: Mapped[int]
    delay_hours: Mapped[int]
    valid_days: Mapped[int]
    low_score: Mapped[int | None]
    follow_up_days: Mapped[int]
    period_days: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str]
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    published_by: Mapped[str | None]

    @property
    def asked(self) -> list[Question]:
        """The questions in their order."""
        return [Question(**question) for question in self.questions]

    @property
    def tap(self) -> Question:
        """The first question: one tap on it counts at once."""
        return self.asked[0]

    @property
    def sampling(self) -> Sampling:
        """Who is asked, and what follows."""
        return Sampling(**{name: getattr(self, name) for name in Sampling.__dataclass_fields__})


def save_draft(
    session: Session,
    *,
    survey_id: str,
    name: str,
    kind: str,
    touchpoint: str | None,
    questions: Sequence[Question],
    sampling: Sampling,
    by: str,
    now: datetime,
) -> Questionnaire:
    """Write the draft of a survey: a new version after the newest, or the draft there already is.

    Raises:
        InputError: something in it cannot be; the words say what.
    """
    _check(survey_id, name, kind, touchpoint, questions, sampling)
    newest = newest_version(session, survey_id)
    if newest is None or newest.state != "draft":
        version = 1 if newest is None else newest.version + 1
        newest = Questionnaire(
            survey_id=survey_id, version=version, state="draft", created_at=now, created_by=by,
            published_at=None, published_by=None,
        )  # fmt: skip
        session.add(newest)
    newest.name, newest.kind, newest.touchpoint = name.strip(), kind, touchpoint or None
    newest.questions = [asdict(question) for question in questions]
    for field, value in asdict(sampling).items():
        setattr(newest, field, value)
    session.flush()
    record_act(session, at=now, actor=by, action="survey.drafted", subject_kind="survey",
               subject_id=survey_id, detail={"version": newest.version})  # fmt: skip
    return newest


def publish(session: Session, survey_id: str, version: int, *, by: str, now: datetime) -> Questionnaire:
    """Put a draft into use; the version before it is retired. From now on it never changes.

    Raises:
        NotFound: no such version.
        Conflict: it is no draft any more.
    """
    draft = find_version(session, survey_id, version)
    if draft.state != "draft":
        raise Conflict(f"version {version} is {draft.state}", where=survey_id, what_to_do="make a new draft")
    for earlier in session.scalars(
        select(Questionnaire).where(Questionnaire.survey_id == survey_id, Questionnaire.state == "published")
    ):
        earlier.state = "retired"
    draft.state, draft.published_at, draft.published_by = "published", now, by
    survey = session.get(Survey, survey_id) or Survey(survey_id=survey_id)
    survey.name, survey.kind, survey.touchpoint = draft.name, draft.kind, draft.touchpoint
    session.add(survey)
    session.flush()
    record_act(session, at=now, actor=by, action="survey.published", subject_kind="survey",
               subject_id=survey_id, detail={"version": version})  # fmt: skip
    return draft


def retire(session: Session, survey_id: str, *, by: str, now: datetime) -> Questionnaire:
    """Stop asking; links that are out still work until they expire.

    Raises:
        Conflict: nothing of this survey is published.
    """
    published = published_version(session, survey_id)
    if published is None:
        raise Conflict("nothing is published", where=survey_id, what_to_do="publish a draft first")
    published.state = "retired"
    record_act(session, at=now, actor=by, action="survey.retired", subject_kind="survey",
               subject_id=survey_id, detail={"version": published.version})  # fmt: skip
    return published


def find_version(session: Session, survey_id: str, version: int) -> Questionnaire:
    """One version.

    Raises:
        NotFound: there is none.
    """
    found = session.get(Questionnaire, (survey_id, version))
    if found is None:
        raise NotFound(
            f"no version {version} of {survey_id!r}", where="survey_id", what_to_do="see the list of surveys"
        )
    return found


def newest_version(session: Session, survey_id: str) -> Questionnaire | None:
    """The version with the highest number, whatever its state."""
    highest = select(func.max(Questionnaire.version)).where(Questionnaire.survey_id == survey_id)
    return session.scalar(
        select(Questionnaire).where(
            Questionnaire.survey_id == survey_id, Questionnaire.version == highest.scalar_subquery()
        )
    )


def published_version(session: Session, survey_id: str) -> Questionnaire | None:
    """The version in use."""
    return session.scalar(
        select(Questionnaire).where(Questionnaire.survey_id == survey_id, Questionnaire.state == "published")
    )


def versions(session: Session) -> list[Questionnaire]:
    """All versions, by survey, the newest first."""
    order = (Questionnaire.survey_id, Questionnaire.version.desc())
    return list(session.scalars(select(Questionnaire).order_by(*order)))


def _check(
    survey_id: str, name: str, kind: str, touchpoint: str | None, questions: Sequence[Question], sampling: Sampling
) -> None:
    marks = [question for question in questions if question.look != "comment"]
    troubles = [
        (not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", survey_id), "survey_id", "letters, digits, - and _, at most 40"),
        (not name.strip() or len(name) > 80, "name", "1 to 80 characters"),
        (kind not in KINDS, "kind", f"one of {', '.join(KINDS)}"),
        (kind == "one_tap" and touchpoint not in TOUCHPOINTS, "touchpoint", f"one of {', '.join(TOUCHPOINTS)}"),
        (not 1 <= len(questions) <= MOST_QUESTIONS, "questions", f"1 to {MOST_QUESTIONS} questions"),
        (bool(questions) and questions[0].look == "comment", "questions", "the first question has marks to tap"),
        (len({q.field for q in marks}) < len(marks), "questions", "each question once"),
        (_overlap(questions), "questions", "at most one comment after each mark of the first question"),
        (not 0 < sampling.share <= 1, "share", "above 0, at most 1"),
        (not 1 <= sampling.quarantine_days <= 730, "quarantine_days", "1 to 730"),
        (not 1 <= sampling.store_day_quota <= 10_000, "store_day_quota", "1 to 10,000"),
        (not 0 <= sampling.delay_hours <= 720, "delay_hours", "0 to 720"),
        (not 1 <= sampling.valid_days <= 90, "valid_days", "1 to 90"),
        (not 1 <= sampling.follow_up_days <= 60, "follow_up_days", "1 to 60"),
        (not 28 <= sampling.period_days <= 730, "period_days", "28 to 730"),
    ]
    for number, question in enumerate(questions, 1):
        where = f"question {number}"
        troubles += [
            (not QUESTION.fullmatch(question.question), where, "a known name, or x_ and letters of its own"),
            (question.look not in LOOKS, where, f"looks like one of {', '.join(LOOKS)}"),
            ((question.look == "comment") != (question.question == "comment"), where, "comment is the free text"),
            (question.question == "touchpoint" and not question.touchpoint, where, "names its touchpoint"),
            (not question.ja.strip() or not question.en.strip(), where, "has words in Japanese and English"),
            (question.look != "comment" and not 0 <= question.low < question.high <= 10, where, "a scale within 0–10"),
            (question.question == "nps" and (question.low, question.high) != (0, 10), where, "nps is asked on 0–10"),
            (question.look == "faces" and (question.low, question.high) != (1, 5), where, "there are five faces: 1–5"),
        ]
    for wrong, where, wanted in troubles:
        if wrong:
            raise InputError(f"{where}: {wanted}", where=where, what_to_do=wanted)


def _overlap(questions: Sequence[Question]) -> bool:
    """Whether more than one comment would be asked after some mark of the first question, or one after none at all."""
    words = [question for question in questions if question.look == "comment"]
    if not words or not questions or questions[0].look == "comment":
        return False
    after = [sum(word.asked_after(mark) for word in words) for mark in range(questions[0].low, questions[0].high + 1)]
    asked = [any(word.asked_after(mark) for mark in range(questions[0].low, questions[0].high + 1)) for word in words]
    return max(after) > 1 or not all(asked)
