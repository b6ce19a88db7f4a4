"""What was shown to a clerk for a customer, and the campaigns whose first purchases count."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, or_
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant

HOLD_OUT = "holdout"  # the arm of customers for whom, by design, nothing is shown


class Suggestion(Base):
    """One product shown at one rank. ``set_id`` joins what was shown together; ``model`` is the model version.

    ``propensity`` is the probability with which the policy put this product at this rank; without it no policy
    can be evaluated off-line. ``channel`` tells where it was shown: ec or app; without one, by a clerk. ``rules``
    counts on the first of a set how often each rule acted on it.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        Index(None, "customer_id", "shown_at"),
        Index(None, "store_id", "shown_at"),
        Index(None, "clerk_id", "shown_at"),
    )

    suggestion_id: Mapped[str] = mapped_column(primary_key=True)
    set_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    customer_ref: Mapped[str | None]
    store_id: Mapped[str]
    clerk_id: Mapped[str | None]
    device_id: Mapped[str | None]
    shown_at: Mapped[datetime] = mapped_column(Instant)
    product_id: Mapped[str]
    rank: Mapped[int]
    score: Mapped[float | None]
    probability: Mapped[float | None]
    propensity: Mapped[float | None]
    model: Mapped[str | None]
    policy: Mapped[str | None]
    arm: Mapped[str | None]
    reason: Mapped[str | None]
    kind: Mapped[str | None]
    source: Mapped[str | None]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    channel: Mapped[str | None]
    rules: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Dismissal(Base):
    """«Not for this customer»: the next sets honour it until it runs out (``until`` empty: for good)."""

    __tablename__ = "dismissals"
    __table_args__ = (Index(None, "customer_id"),)

    dismissal_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    product_id: Mapped[str]
    clerk_id: Mapped[str]
    why: Mapped[str | None]
    dismissed_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)


class ClerkTarget(Base):
    """A campaign for focus merchandise (重点商品): whose first purchases count, where and when."""

    __tablename__ = "clerk_targets"

    campaign_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    product_id: Mapped[str | None]
    category: Mapped[str | None]
    stores: Mapped[str | None]


def was_shown() -> ColumnElement[bool]:
    """Suggestions that a clerk saw: those of held-out customers are logged for comparison and shown to nobody."""
    return or_(Suggestion.arm.is_(None), Suggestion.arm != HOLD_OUT)
