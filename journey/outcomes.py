"""What came of a suggestion: the clerk's tap, and the till's confirmation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Connection, Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant
from journey.linking import among

RESULTS = ("bought", "considering", "declined", "not_proposed")
PROPOSED = ("bought", "considering", "declined")


class Outcome(Base):
    """A clerk's tap on a suggestion. The id is made on the tablet, so that sending twice records once.

    A later tap on the same suggestion corrects the earlier one: exactly one row per suggestion is ``current``,
    unless all were retracted. ``received_at`` is the server's clock, ``occurred_at`` the tablet's, kept as told;
    ``ordered_at`` is the moment that decides which tap was later, corrected for a tablet whose clock is wrong
    (empty where the source tells no sending time: then ``occurred_at`` decides).
    """

    __tablename__ = "outcomes"
    __table_args__ = (
        Index(None, "suggestion_id"),
        Index(None, "clerk_id", "occurred_at"),
    )

    outcome_id: Mapped[str] = mapped_column(primary_key=True)
    suggestion_id: Mapped[str]
    clerk_id: Mapped[str]
    device_id: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime | None] = mapped_column(Instant)
    ordered_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[str]
    why: Mapped[str | None]
    current: Mapped[bool] = mapped_column(default=True)
    retracted_at: Mapped[datetime | None] = mapped_column(Instant)


class Confirmation(Base):
    """The till line that shows the purchase of a suggested product within the attribution window."""

    __tablename__ = "confirmations"

    suggestion_id: Mapped[str] = mapped_column(primary_key=True)
    receipt_id: Mapped[str]
    line_no: Mapped[int]
    sold_at: Mapped[datetime] = mapped_column(Instant)
    first_purchase: Mapped[bool]


class FollowUp(Base):
    """A date on which to come back to a customer who is considering."""

    __tablename__ = "follow_ups"
    __table_args__ = (Index(None, "store_id", "due_on"), Index(None, "customer_id"))

    follow_up_id: Mapped[str] = mapped_column(primary_key=True)
    suggestion_id: Mapped[str | None]
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    store_id: Mapped[str]
    clerk_id: Mapped[str]
    due_on: Mapped[date]
    text: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)


def mark_current(connection: Connection, suggestion_ids: Collection[str]) -> None:
    """Make the latest tap that was not retracted the current one of each of these suggestions."""
    some, given = among(connection, suggestion_ids)
    later = "coalesce(later.ordered_at, later.occurred_at)", "coalesce(outcomes.ordered_at, outcomes.occurred_at)"
    connection.exec_driver_sql(
        "UPDATE outcomes SET current = (retracted_at IS NULL AND NOT EXISTS (SELECT 1 FROM outcomes AS later "
        "WHERE later.suggestion_id = outcomes.suggestion_id AND later.retracted_at IS NULL "
        f"AND ({later[0]} > {later[1]} OR ({later[0]} = {later[1]} AND later.outcome_id > outcomes.outcome_id)))) "
        f"WHERE suggestion_id {some}",
        (given,),
    )
