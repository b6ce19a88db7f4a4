"""Action plans: a finding given to a unit, with an owner, a KPI and a date."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant


class ActionPlan(Base):
    """A finding → owner, unit, KPI, baseline, target, dates; the effect is estimated from the record.

    ``stores`` are those acted upon and ``comparison_stores`` those compared with (empty: all others).
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
