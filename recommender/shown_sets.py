"""Every shown suggestion is written down, in one statement, before the clerk sees it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros
from recommender.requests import SuggestionSet

COLUMNS: Final = (
    "suggestion_id", "set_id", "customer_id", "customer_ref", "store_id", "clerk_id", "device_id", "shown_at",
    "product_id", "rank", "score", "probability", "propensity", "model", "policy", "arm", "reason", "kind", "source",
    "evidence", "channel",
)  # fmt: skip

ROWS_AT_ONCE: Final = 500
"""Keeps the values of one statement within what both databases take."""


@lru_cache(maxsize=64)
def _statement(rows: int, sqlite: bool) -> str:
    """One INSERT of so many rows, written out: composing it through SQLAlchemy costs as much as choosing the
    suggestions, and one statement of five rows half as much as five.
    """
    row = f"({', '.join(['?' if sqlite else '%s'] * len(COLUMNS))})"
    return f"INSERT INTO suggestions ({', '.join(COLUMNS)}) VALUES {', '.join([row] * rows)}"


def record_set(session: Session, answer: SuggestionSet) -> None:
    """Insert what was shown, or in the hold-out arm what would have been; the caller commits."""
    request, shown_at = answer.request, to_micros(answer.shown_at)
    rows = [
        (
            proposal.suggestion_id,
            answer.set_id,
            request.customer_id,
            request.customer_id,
            request.store_id,
            request.clerk_id,
            request.device_id,
            shown_at,
            proposal.product_id,
            proposal.rank,
            proposal.score,
            proposal.probability,
            proposal.propensity,
            answer.model,
            answer.policy,
            answer.arm,
            proposal.reason,
            proposal.kind,
            proposal.source,
            orjson.dumps(proposal.evidence).decode(),
            request.channel,
        )
        for proposal in (*answer.proposals, *answer.withheld)
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        values = tuple(value for row in part for value in row)
        session.connection().exec_driver_sql(_statement(len(part), is_sqlite(session)), values)
