"""One request of rows: taken in one transaction, answered after the commit, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.database_sessions import request_time
from clerk_ui.metrics import ROWS
from journey.errors import TooMany
from journey.intake.rows import MOST_ROWS, RowsTaken, import_groups, import_rows


def refuse_too_many(rows: Sequence[Any]) -> None:
    """Refuse a request with more rows than are taken at once.

    Raises:
        TooMany: nothing was looked at.
    """
    if len(rows) > MOST_ROWS:
        raise TooMany(
            f"{len(rows)} rows at once",
            where="json",
            what_to_do=f"send at most {MOST_ROWS} a request",
            problem="too-many-rows",
            status=413,
            most=MOST_ROWS,
        )


def take(session: Session, table: str, rows: Sequence[Any]) -> RowsTaken:
    """Bring rows into the record in the caller's transaction; what is kept out goes to the quarantine as well.

    Raises:
        TooMany: as `refuse_too_many`.
    """
    refuse_too_many(rows)
    return import_rows(session, table, rows, source=_route(table), now=request_time(), timezone=_timezone())


def take_groups(session: Session, table: str, groups: Sequence[Sequence[Any]]) -> list[RowsTaken]:
    """As `take`, for requests that come together; none of them has too many rows."""
    return import_groups(session, table, groups, source=_route(table), now=request_time(), timezone=_timezone())


def _route(table: str) -> str:
    return request.url_rule.rule if request.url_rule else table


def _timezone() -> str:
    return settings().chain.timezone


def answer(table: str, taken: RowsTaken) -> dict[str, Any]:
    """The document of a request whose rows were committed."""
    for what in ("inserted", "updated", "unchanged"):
        ROWS.labels(table, what).inc(getattr(taken, what))
    ROWS.labels(table, "kept_out").inc(len(taken.kept_out))
    return taken.as_json()


def taken_rows(rows: Sequence[Any], taken: RowsTaken) -> list[dict[str, Any]]:
    """The rows of the request that are in the record now."""
    out = {kept.index for kept in taken.kept_out}
    return [row for place, row in enumerate(rows) if place not in out and isinstance(row, dict)]
