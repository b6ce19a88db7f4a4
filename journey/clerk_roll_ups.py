"""Sums per clerk and day that the staff screens read; made by ``osusume rollup``, never by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant


class ClerkProposalDay(Base):
    """What a clerk was shown, proposed and reached in a store on one day in one category ('' where none is known).

    ``day`` counts days since 1970-01-01 on the store's clock. A service is a set of suggestions, counted with its
    first place; it is identified where the customer was known. ``offset_1`` … ``offset_5`` are the sums, over the
    proposals, of the powers of what the case mix expects (logits, without level): enough to give back what an average
    clerk would have reached with the very same proposals, and they add up over any days.
    """

    __tablename__ = "clerk_proposal_days"
    __table_args__ = (Index(None, "day"), Index(None, "store_id", "day"))

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    services: Mapped[int]
    identified: Mapped[int]
    shown: Mapped[int]
    recorded: Mapped[int]
    proposed: Mapped[int]
    accepted: Mapped[int]
    confirmed: Mapped[int]
    first_purchases: Mapped[int]
    offset_1: Mapped[float]
    offset_2: Mapped[float]
    offset_3: Mapped[float]
    offset_4: Mapped[float]
    offset_5: Mapped[float]


class ClerkHandlingDay(Base):
    """How customers were handled by a clerk in a store on one day; sums, and their number of cases."""

    __tablename__ = "clerk_handling_days"
    __table_args__ = (Index(None, "day"),)

    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(primary_key=True)
    attended: Mapped[int]
    waited_seconds: Mapped[float]
    follow_ups: Mapped[int]
    kept: Mapped[int]
    survey_n: Mapped[int]
    survey_sum: Mapped[float]
    focus_first_purchases: Mapped[int]


class CaseMixModel(Base):
    """The model of what customers and products let expect; the newest one scores new days."""

    __tablename__ = "case_mix_models"

    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    fitted_at: Mapped[datetime] = mapped_column(Instant)
    proposals: Mapped[int]
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)


class StaffStanding(Base):
    """What the staff report says of one clerk over one span, worked out ahead; ``clerk_id`` '' holds the span's frame.

    ``first_day`` and ``last_day`` count days since 1970-01-01; the widest span is everything known.
    """

    __tablename__ = "staff_standings"

    first_day: Mapped[int] = mapped_column(primary_key=True)
    last_day: Mapped[int] = mapped_column(primary_key=True)
    clerk_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
