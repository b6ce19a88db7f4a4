"""The books of the intake: each run with its summary, and every row that was kept out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class ImportRun(Base):
    """One delivery: where it came from, when, and what became of its rows."""

    __tablename__ = "import_runs"

    run_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class QuarantinedRow(Base):
    """A row kept out at import (保留データ): with its file, line, reason and the row as it came."""

    __tablename__ = "quarantine"
    __table_args__ = (Index(None, "state", "table_name"),)

    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[int]
    table_name: Mapped[str]
    file: Mapped[str]
    line: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[str]
    raw: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    kept_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)


def recent_runs(session: Session, limit: int) -> list[ImportRun]:
    """The latest deliveries, the newest first."""
    return list(session.scalars(select(ImportRun).order_by(ImportRun.run_id.desc()).limit(limit)))
