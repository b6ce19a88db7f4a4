"""Proposals of shifts: asked for, computed in the background, and accepted by a manager."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import Conflict, NotFound

STATES = ("waiting", "running", "ready", "accepted", "failed")
STALLED = timedelta(minutes=10)  # nobody computes that long: whoever did is gone
KEPT = 20  # plans of a store that are kept beside the accepted ones


class ShiftPlanRecord(Base):
    """A plan of a store from ``first_day`` over ``days``; ``document`` holds shifts, comparison and notes."""

    __tablename__ = "shift_plans"
    __table_args__ = (Index(None, "store_id", "asked_at"),)

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    first_day: Mapped[date]
    days: Mapped[int]
    state: Mapped[str]
    step: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    accepted_by: Mapped[str | None]
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


def ask_for_plan(
    session: Session, store_id: str, *, first_day: date, days: int, actor: str, now: datetime
) -> ShiftPlanRecord:
    """Ask for a plan; one that is being computed for the store already is answered instead of a second one."""
    busy = session.scalar(
        select(ShiftPlanRecord).where(
            ShiftPlanRecord.store_id == store_id,
            ShiftPlanRecord.state.in_(("waiting", "running")),
            ShiftPlanRecord.asked_at > now - STALLED,
        )
    )
    if busy is not None:
        return busy
    old = session.scalars(
        select(ShiftPlanRecord.plan_id)
        .where(ShiftPlanRecord.store_id == store_id, ShiftPlanRecord.accepted_at.is_(None))
        .order_by(ShiftPlanRecord.asked_at.desc())
        .offset(KEPT)
    ).all()
    session.execute(delete(ShiftPlanRecord).where(ShiftPlanRecord.plan_id.in_(old)))
    plan = ShiftPlanRecord(
        plan_id=str(uuid.uuid4()), store_id=store_id, first_day=first_day, days=days, state="waiting", step=None,
        asked_by=actor, asked_at=now, ended_at=None, accepted_by=None, accepted_at=None, document=None,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    return plan


def find_plan(session: Session, plan_id: str) -> ShiftPlanRecord:
    """The plan of that id.

    Raises:
        NotFound: there is none.
    """
    plan = session.get(ShiftPlanRecord, plan_id)
    if plan is None:
        raise NotFound(f"no plan {plan_id!r}", where="plan_id", what_to_do="ask for a new one")
    return plan


def latest_plan(session: Session, store_id: str) -> ShiftPlanRecord | None:
    """The plan that was asked for last."""
    return session.scalar(
        select(ShiftPlanRecord)
        .where(ShiftPlanRecord.store_id == store_id)
        .order_by(ShiftPlanRecord.asked_at.desc(), ShiftPlanRecord.plan_id)
        .limit(1)
    )


def plan_step(
    session: Session,
    plan_id: str,
    *,
    state: str,
    step: str | None = None,
    document: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Note how far the computation is; *now* where it has ended."""
    values: dict[str, Any] = {"state": state, "step": step}
    if document is not None:
        values["document"] = document
    if now is not None:
        values["ended_at"] = now
    session.execute(update(ShiftPlanRecord).where(ShiftPlanRecord.plan_id == plan_id).values(**values))


def accept_plan(session: Session, plan_id: str, *, actor: str, now: datetime) -> ShiftPlanRecord:
    """A manager takes the plan over; accepting twice is the same as once.

    Raises:
        NotFound: no such plan.
        Conflict: it is not computed yet.
    """
    plan = find_plan(session, plan_id)
    if plan.state not in ("ready", "accepted"):
        raise Conflict(f"the plan is {plan.state}", where="plan_id", what_to_do="wait until it is ready")
    if plan.state == "ready":
        plan.state, plan.accepted_by, plan.accepted_at = "accepted", actor, now
        record_act(session, at=now, actor=actor, action="plan.accepted", subject_kind="plan", subject_id=plan_id)
    return plan
