"""Surveys and their answers: one row per response, question and touchpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class Survey(Base):
    """A questionnaire: one_tap after a visit, or periodic."""

    __tablename__ = "surveys"

    survey_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str | None]
    touchpoint: Mapped[str | None]


BY_EMAIL = text("email_hash IS NOT NULL")


class Answer(Base):
    """One answer; rows of one ``response_id`` are one person's sheet. ``touchpoint`` is '' where none is meant."""

    __tablename__ = "answers"
    __table_args__ = (
        Index(None, "customer_id"),
        Index(None, "survey_id", "answered_at"),
        Index("ix_answers_email_hash", "email_hash", sqlite_where=BY_EMAIL, postgresql_where=BY_EMAIL),
    )

    response_id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    touchpoint: Mapped[str] = mapped_column(primary_key=True)
    survey_id: Mapped[str]
    customer_id: Mapped[str | None]
    customer_ref: Mapped[str | None]
    email_hash: Mapped[str | None]
    store_id: Mapped[str | None]
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime] = mapped_column(Instant)
    score: Mapped[float | None]
    scale_min: Mapped[float | None]
    scale_max: Mapped[float | None]
    comment: Mapped[str | None]


@dataclass(frozen=True)
class Delivered:
    """A survey as its answers tell it: how many sheets there are, and when the latest came."""

    survey_id: str
    name: str
    kind: str | None
    touchpoint: str | None
    sheets: int
    latest: datetime


def answered_surveys(session: Session) -> list[Delivered]:
    """The surveys that answers are on record of, the latest answer first; also those that nobody named."""
    counted = (
        select(
            Answer.survey_id,
            func.count(func.distinct(Answer.response_id)).label("sheets"),
            func.max(Answer.answered_at).label("latest"),
        )
        .group_by(Answer.survey_id)
        .subquery()
    )
    rows = session.execute(
        select(
            counted.c.survey_id, func.coalesce(Survey.name, counted.c.survey_id), Survey.kind, Survey.touchpoint,
            counted.c.sheets, counted.c.latest,
        )
        .outerjoin(Survey, Survey.survey_id == counted.c.survey_id)
        .order_by(counted.c.latest.desc(), counted.c.survey_id)
    )  # fmt: skip
    return [Delivered(*row) for row in rows]
