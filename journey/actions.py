"""Action plans: a finding given to a unit, with an owner, a KPI and a date."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import JSON, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class ActionPlan(Base):
    """A finding → owner, unit, KPI, baseline, target, dates; the effect is estimated from the record.

    ``stores`` are those acted upon and ``comparison_stores`` those compared with (empty: all others). ``area`` is the
    part of the unit that acts, ``segment`` the customers acted upon where it is not stores (``tier:gold``, compared
    with the other tiers), ``owner_id`` the owner's account, ``source`` the analysis the finding is from, and
    ``outcome`` what was learnt when it was closed.
    """

    __tablename__ = "action_plans"
    __table_args__ = (Index(None, "state"),)

    action_id: Mapped[str] = mapped_column(primary_key=True)
    finding: Mapped[str]
    owner: Mapped[str]
    unit: Mapped[str]
    kpi: Mapped[str]
    baseline: Mapped[float | None]
    target: Mapped[float | None]
    starts_on: Mapped[date]
    due_on: Mapped[date]
    stores: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    comparison_stores: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    area: Mapped[str | None] = mapped_column(default=None)
    owner_id: Mapped[str | None] = mapped_column(default=None)
    source: Mapped[str | None] = mapped_column(default=None)
    outcome: Mapped[str | None] = mapped_column(default=None)
    segment: Mapped[str | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(Instant, default=None)


def action_plans(session: Session, *, units: Collection[str] | None = None) -> list[ActionPlan]:
    """Plans, the latest start first; only those of some units where these are named."""
    statement = select(ActionPlan).order_by(ActionPlan.starts_on.desc(), ActionPlan.action_id)
    if units is not None:
        statement = statement.where(ActionPlan.unit.in_(units))
    return list(session.scalars(statement))
