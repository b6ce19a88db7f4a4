"""What came of a suggestion, as the clerk taps it.

The author of an outcome is the clerk in its body (:mod:`clerk_ui.counter.authors`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, jsonify
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clerk_ui import recommendations
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.authors import author, sender_clock
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.field_types import Body, Document, Id, Line, Moment, parsed_uuid
from clerk_ui.metrics import OUTCOMES
from clerk_ui.openapi import answers
from journey.errors import NotAllowed
from journey.outcome_recording import Recorded, Tap, record_outcome, retract
from journey.outcomes import Outcome
from journey.suggestions import Suggestion

blueprint = APIBlueprint("outcomes", __name__, tag="Outcomes", url_prefix="/api/outcomes")


class OutcomeBody(Body):
    """One tap. ``sent_at`` is what the sender's own clock shows while it sends (also: header X-Osusume-Clock)."""

    suggestion_id: Id
    clerk_id: Id
    result: Literal["bought", "considering", "declined", "not_proposed"]
    why: Line | None = None
    occurred_at: Moment = Field(description="by the sender's clock; kept as it is")
    sent_at: Moment | None = None


class OutcomeDocument(Document):
    """An outcome as recorded; ``current`` unless a later tap corrected it or it was taken back."""

    outcome_id: str
    suggestion_id: str
    clerk_id: str
    result: str
    why: str | None
    occurred_at: datetime
    received_at: datetime | None
    current: bool
    retracted_at: datetime | None


@blueprint.put("/<outcome_id>")
@blueprint.output(OutcomeDocument, status_code=201, description="recorded now")
@blueprint.doc(
    operation_id="putOutcome",
    security=["machine", "tablet"],
    responses=answers(
        {
            200: ("recorded before with the same content; nothing changed", "OutcomeDocument"),
            409: "the id exists with other content",
            422: "the store's day is over, or the body cannot be used",
        }
    ),
)
@requires("outcomes", person=False)
@blueprint.input(OutcomeBody, arg_name="body")
def put_outcome(caller: Caller, outcome_id: str, body: OutcomeBody) -> Response:
    """Record an outcome under an id made by the client (a UUID).

    The same again is 200 and changes nothing; other content under the same id is 409. Another outcome of the same
    suggestion corrects the earlier one: the later tap counts, from a tablet until the end of that day in the store.
    Where the sender's clock is wrong by more than five minutes, its error is taken off before taps are ordered.
    """
    tap = Tap(
        outcome_id=parsed_uuid(outcome_id, "outcome_id"),
        suggestion_id=body.suggestion_id,
        clerk_id=body.clerk_id,
        result=body.result,
        occurred_at=body.occurred_at,
        why=body.why,
        sent_at=body.sent_at or sender_clock(),
    )
    try:
        recorded = _record(caller, tap)
    except IntegrityError:  # the same id arrived twice at one moment: the other one is stored by now
        recorded = _record(caller, tap)
    if recorded.added:
        OUTCOMES.labels(tap.result).inc()
        _tell(tap.suggestion_id)
    response = jsonify(outcome_document(recorded.outcome))
    response.status_code = 201 if recorded.added else 200
    return response


@blueprint.delete("/<outcome_id>")
@blueprint.output(OutcomeDocument)
@blueprint.doc(
    operation_id="retractOutcome", security=["machine", "tablet"], responses=answers({404: "no such outcome"})
)
@requires("outcomes", person=False)
def delete_outcome(caller: Caller, outcome_id: str) -> dict[str, Any]:
    """Take an outcome back (undo); the one before it counts again. Twice is the same as once."""
    outcome_id = parsed_uuid(outcome_id, "outcome_id")
    with writing() as session:
        known = session.get(Outcome, outcome_id)
        if known is not None:
            _check_store(session, caller, known.suggestion_id)
        limit: Literal["end of day", "always"] = "end of day" if caller.tablet else "always"
        outcome = retract(session, outcome_id, now=request_time(), limit=limit)
    _tell(outcome.suggestion_id)
    return outcome_document(outcome)


def _record(caller: Caller, tap: Tap) -> Recorded:
    with writing() as session:
        _check_store(session, caller, tap.suggestion_id)
        author(session, caller, tap.clerk_id)
        return record_outcome(
            session,
            tap,
            now=request_time(),
            device_id=caller.tablet.device_id if caller.tablet else None,
            correct_until="end of day" if caller.tablet else "always",
        )


def _check_store(session: Session, caller: Caller, suggestion_id: str) -> None:
    """A tablet reports on what was shown in its own store; that the suggestion exists is checked by the record."""
    suggestion = session.get(Suggestion, suggestion_id)
    if caller.tablet and suggestion is not None and suggestion.store_id != caller.tablet.store_id:
        raise NotAllowed(
            "this suggestion was shown in another store",
            where="suggestion_id",
            what_to_do="record it on a tablet of that store",
            problem="other-store",
        )


def _tell(suggestion_id: str) -> None:
    """What was made ahead for the customer no longer holds."""
    customer_id = reading().scalar(select(Suggestion.customer_id).where(Suggestion.suggestion_id == suggestion_id))
    if customer_id is not None:
        recommendations.tell_change([customer_id], now=request_time())


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """An outcome as sent."""
    return {name: getattr(outcome, name) for name in OutcomeDocument.model_fields}
