"""Who did or saw what: merges, erasures, views of a person's figures, promotions by force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
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
