"""Follow-ups of low scores: a task for a person with a deadline, kept until somebody says what was done."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.accounts import Account
from journey.audit import record_act
from journey.customers import Customer
from journey.database import Base, Instant
from journey.errors import Conflict, InputError, NotFound
from journey.local_days import local_date, store_zone, zone
from journey.questionnaires import Questionnaire
from journey.stores import DEFAULT_TIMEZONE
from journey.surveys import Answer


class SurveyTask(Base):
    """A customer who was not content, for somebody to come back to; ``done_at`` closes it with a note."""

    __tablename__ = "survey_tasks"
    __table_args__ = (Index(None, "store_id", "done_at"), Index(None, "customer_id"))

    task_id: Mapped[str] = mapped_column(primary_key=True)
    response_id: Mapped[str] = mapped_column(unique=True)
    survey_id: Mapped[str]
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    store_id: Mapped[str | None]
    touchpoint: Mapped[str | None]
    score: Mapped[float]
    scale_max: Mapped[float | None]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    due_on: Mapped[date]
    assignee: Mapped[str | None]
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[str | None]
    note: Mapped[str | None]


@dataclass(frozen=True)
class OpenTask:
    """A task as people read it: who the customer is, what was said, whose it is, and whether it is late."""

    task: SurveyTask
    customer_name: str | None
    comment: str | None
    assignee_name: str | None
    overdue: bool


def open_tasks_of_low_scores(
    session: Session, questionnaire: Questionnaire, *, since: datetime, now: datetime, timezone: str = DEFAULT_TIMEZONE
) -> int:
    """Open a task for every answer since then to the survey's first question that is low; returns how many are new.

    Looks at the record, so that answers which came from elsewhere are followed up as well. A customer is needed to
    come back to: anonymous answers open nothing.
    """
    if questionnaire.low_score is None:
        return 0
    tap = questionnaire.tap
    answers = session.scalars(
        select(Answer)
        .where(
            Answer.survey_id == questionnaire.survey_id,
            Answer.question == tap.question,
            Answer.touchpoint == tap.touchpoint,
            Answer.answered_at >= since,
            Answer.customer_id.is_not(None),
            Answer.score <= questionnaire.low_score,
            (Answer.scale_max.is_(None)) | (Answer.scale_max == tap.high),
            ~select(SurveyTask.task_id).where(SurveyTask.response_id == Answer.response_id).exists(),
        )
        .order_by(Answer.answered_at)
    ).all()
    for answer in answers:
        _open(session, questionnaire, answer, now, timezone)
    session.flush()
    return len(answers)


def _open(session: Session, questionnaire: Questionnaire, answer: Answer, now: datetime, timezone: str) -> None:
    assert answer.customer_id is not None
    assert answer.score is not None
    tz = store_zone(session, answer.store_id, timezone) if answer.store_id else zone(None, timezone)
    session.add(
        SurveyTask(
            task_id=secrets.token_hex(8), response_id=answer.response_id, survey_id=answer.survey_id,
            customer_id=answer.customer_id, customer_ref=answer.customer_ref, store_id=answer.store_id,
            touchpoint=answer.touchpoint or questionnaire.touchpoint, score=answer.score,
            scale_max=answer.scale_max, opened_at=now,
            due_on=local_date(now, tz) + timedelta(days=questionnaire.follow_up_days),
            assignee=_manager_of(session, answer.store_id), done_at=None, done_by=None, note=None,
        )
    )  # fmt: skip


def _manager_of(session: Session, store_id: str | None) -> str | None:
    """Whose task it is at first: the store's manager; where there is none, the CoE sees it without a name."""
    statement = select(Account.account_id).where(Account.role == "manager", Account.disabled_at.is_(None))
    return session.scalar(statement.where(Account.store_id == store_id).order_by(Account.account_id).limit(1))


def tasks(session: Session, *, store_id: str | None, today: date, done: bool = False) -> list[OpenTask]:
    """Tasks of a store (None: of all), the most overdue first; the done ones the latest first."""
    statement = (
        select(SurveyTask, Customer.name, Account.name)
        .outerjoin(Customer, Customer.customer_id == SurveyTask.customer_id)
        .outerjoin(Account, Account.account_id == SurveyTask.assignee)
        .where(SurveyTask.done_at.is_not(None) if done else SurveyTask.done_at.is_(None))
    )
    if store_id is not None:
        statement = statement.where(SurveyTask.store_id == store_id)
    order = (SurveyTask.done_at.desc(),) if done else (SurveyTask.due_on, SurveyTask.task_id)
    rows = session.execute(statement.order_by(*order)).all()
    said = {
        row.response_id: row.comment
        for row in session.execute(
            select(Answer.response_id, Answer.comment).where(
                Answer.response_id.in_([row[0].response_id for row in rows]), Answer.comment.is_not(None)
            )
        )
    }
    return [
        OpenTask(task, name, said.get(task.response_id), assignee, task.done_at is None and task.due_on < today)
        for task, name, assignee in rows
    ]


def find_task(session: Session, task_id: str) -> SurveyTask:
    """One task.

    Raises:
        NotFound: there is none.
    """
    task = session.get(SurveyTask, task_id)
    if task is None:
        raise NotFound(f"no task {task_id!r}", where="task_id", what_to_do="see the list of follow-ups")
    return task


def assign(session: Session, task_id: str, account_id: str, *, by: str, now: datetime) -> SurveyTask:
    """Give a task to a person who is there.

    Raises:
        NotFound: no such task or account.
        Conflict: it is done already.
    """
    task = find_task(session, task_id)
    account = session.get(Account, account_id)
    if account is None or account.disabled_at is not None:
        raise NotFound(f"no account {account_id!r}", where="assignee", what_to_do="choose a person of the list")
    if task.done_at is not None:
        raise Conflict("this follow-up is done", where=task_id, what_to_do="reload the list")
    task.assignee = account_id
    _audit(session, task, "survey.task_assigned", by, now)
    return task


def finish(session: Session, task_id: str, note: str, *, by: str, now: datetime) -> SurveyTask:
    """Close a task with what was done; closing it twice keeps the first note.

    Raises:
        NotFound: no such task.
        InputError: no note.
    """
    task = find_task(session, task_id)
    if not note.strip():
        raise InputError("a note is needed", where="note", what_to_do="write in a few words what was done")
    if task.done_at is None:
        task.done_at, task.done_by, task.note = now, by, note.strip()[:1000]
        _audit(session, task, "survey.task_done", by, now)
    return task


def _audit(session: Session, task: SurveyTask, action: str, by: str, now: datetime) -> None:
    record_act(session, at=now, actor=f"account:{by}", action=action, subject_kind="survey_task",
               subject_id=task.task_id, detail={"store_id": task.store_id})  # fmt: skip
