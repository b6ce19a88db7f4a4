"""Every shown suggestion is written down, in one statement, before the clerk sees it."""

from __future__ import annotations

from typing import Final

import orjson
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros
from recommender.requests import SuggestionSet

COLUMNS: Final = (
    "suggestion_id", "set_id", "customer_id", "customer_ref", "store_id", "clerk_id", "device_id", "shown_at",
    "product_id", "rank", "score", "probability", "propensity", "model", "policy", "arm", "reason", "kind", "source",
    "evidence",
)  # fmt: skip

# Written out for both drivers: composing it through SQLAlchemy costs as much as choosing the suggestions.
_INSERT: Final = "INSERT INTO suggestions ({}) VALUES ({})"
_STATEMENTS: Final = {
    sqlite: _INSERT.format(", ".join(COLUMNS), ", ".join(["?" if sqlite else "%s"] * len(COLUMNS)))
    for sqlite in (True, False)
}


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
        )
        for proposal in (*answer.proposals, *answer.withheld)
    ]
    if rows:
        session.connection().exec_driver_sql(_STATEMENTS[is_sqlite(session)], rows)
