"""Who did or saw what: merges, erasures, views of a person's figures, promotions by force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class AuditEntry(Base):
    """One act of one actor on one subject; written in the transaction of the act itself."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "at"), Index(None, "subject_kind", "subject_id"))

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


def views_of(
    session: Session, subject_kind: str, subject_id: str, *, limit: int = 10
) -> list[tuple[datetime, str, str]]:
    """Who looked at somebody's figures, the latest first: when, who, and whether they were seen or exported."""
    seen = select(AuditEntry.at, AuditEntry.actor, AuditEntry.action).where(
        AuditEntry.subject_kind == subject_kind,
        AuditEntry.subject_id == subject_id,
        AuditEntry.action.in_(("staff.viewed", "staff.exported")),
    )
    rows = session.execute(seen.order_by(AuditEntry.at.desc(), AuditEntry.entry_id.desc()).limit(limit))
    return [(at, actor, action) for at, actor, action in rows]


def record_act(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: str,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one line of the audit log into the caller's transaction."""
    session.add(
        AuditEntry(at=at, actor=actor, action=action, subject_kind=subject_kind, subject_id=subject_id, detail=detail)
    )


def last_act(session: Session, action: str) -> datetime | None:
    """When something was last done, by whomever."""
    return session.scalar(select(func.max(AuditEntry.at)).where(AuditEntry.action == action))
