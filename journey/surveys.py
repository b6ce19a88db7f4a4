"""Surveys and their answers: one row per response, question and touchpoint."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

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
