"""Results of heavy analyses, made at night and read by the screens, with when they were made."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant


class AnalysisResult(Base):
    """One analysis with its parameters (canonical JSON): the document that a screen shows, and all rows as CSV.

    ``rows`` is gzipped CSV, so that a download costs no computing. ``names_persons``: it holds ids or words of
    customers and goes when one of them is erased.
    """

    __tablename__ = "analysis_results"

    kind: Mapped[str] = mapped_column(primary_key=True)
    parameters: Mapped[str] = mapped_column(primary_key=True)
    computed_at: Mapped[datetime] = mapped_column(Instant)
    seconds: Mapped[float]
    names_persons: Mapped[bool]
    document: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Stored:
    """A kept result as the screens read it."""

    document: dict[str, Any]
    computed_at: datetime
    seconds: float


def canonical(parameters: Mapping[str, Any]) -> str:
    """Parameters as a key: sorted, without those that are not set."""
    known = {name: value for name, value in parameters.items() if value is not None}
    return json.dumps(known, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def keep_result(
    session: Session,
    kind: str,
    parameters: Mapping[str, Any],
    document: Mapping[str, Any],
    *,
    rows: bytes | None = None,
    names_persons: bool = False,
    computed_at: datetime,
    seconds: float,
) -> None:
    """Keep a result in place of the one before."""
    session.merge(
        AnalysisResult(
            kind=kind, parameters=canonical(parameters), computed_at=computed_at, seconds=seconds,
            names_persons=names_persons, document=gzip.compress(_as_json(document), 6),
            rows=None if rows is None else gzip.compress(rows, 6),
        )
    )  # fmt: skip
    session.flush()


def stored_result(session: Session, kind: str, parameters: Mapping[str, Any] | None = None) -> Stored | None:
    """The kept result; None where it was not made yet."""
    row = session.execute(
        select(AnalysisResult.document, AnalysisResult.computed_at, AnalysisResult.seconds).where(
            AnalysisResult.kind == kind, AnalysisResult.parameters == canonical(parameters or {})
        )
    ).first()
    if row is None:
        return None
    return Stored(json.loads(gzip.decompress(row.document)), row.computed_at, row.seconds)


def stored_rows(session: Session, kind: str, parameters: Mapping[str, Any] | None = None) -> bytes | None:
    """The kept rows as CSV; None where there are none."""
    packed = session.scalar(
        select(AnalysisResult.rows).where(
            AnalysisResult.kind == kind, AnalysisResult.parameters == canonical(parameters or {})
        )
    )
    return None if packed is None else gzip.decompress(packed)


def newest_result(session: Session, kinds: Collection[str]) -> datetime | None:
    """When the latest result of one of these kinds was made."""
    return session.scalar(select(func.max(AnalysisResult.computed_at)).where(AnalysisResult.kind.in_(kinds)))


def forget_persons(session: Session) -> int:
    """Drop the results that name persons, as one of them was erased; the next night makes them anew."""
    dropped = session.execute(delete(AnalysisResult).where(AnalysisResult.names_persons))
    return int(dropped.rowcount)  # type: ignore[attr-defined]


def _as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    """Numbers of numpy as numbers, dates as text."""
    return value.item() if hasattr(value, "item") else str(value)
