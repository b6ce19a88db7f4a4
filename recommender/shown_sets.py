"""Every shown suggestion is written down, in one statement, before the clerk sees it."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.orm import Session

from journey.suggestions import Suggestion
from recommender.requests import SuggestionSet

_INSERT = insert(Suggestion.__table__)  # type: ignore[arg-type]


def record_set(session: Session, answer: SuggestionSet) -> None:
    """Insert what was shown, or in the hold-out arm what would have been; the caller commits."""
    request = answer.request
    rows = [
        {
            "suggestion_id": proposal.suggestion_id,
            "set_id": answer.set_id,
            "customer_id": request.customer_id,
            "customer_ref": request.customer_id,
            "store_id": request.store_id,
            "clerk_id": request.clerk_id,
            "device_id": request.device_id,
            "shown_at": answer.shown_at,
            "product_id": proposal.product_id,
            "rank": proposal.rank,
            "score": proposal.score,
            "probability": proposal.probability,
            "propensity": proposal.propensity,
            "model": answer.model,
            "policy": answer.policy,
            "arm": answer.arm,
            "reason": proposal.reason,
            "kind": proposal.kind,
            "source": proposal.source,
            "evidence": dict(proposal.evidence),
        }
        for proposal in (*answer.proposals, *answer.withheld)
    ]
    if rows:
        session.connection().execute(_INSERT, rows)
