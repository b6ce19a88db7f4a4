"""«Show it in the store»: a number on the web shop's or the app's screen links that browser to the customer at hand.

The shop's server asks for the number, which stands for the visitor's cookie for five minutes; a clerk scans it beside
the customer and confirms. The page never learns who the customer is, the tablet never the cookie.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.auth.requirements import requires
from clerk_ui.counter.consent import may_profile
from clerk_ui.database_sessions import end_reading, reading, request_time, writing
from clerk_ui.field_types import Body, Document, Id
from clerk_ui.intake.links import link_or_claim
from clerk_ui.joining.drawn_codes import jan
from clerk_ui.joining.invitations import DrawnDocument
from clerk_ui.openapi import answers
from journey.customer_search import current_customer
from journey.errors import NotAllowed
from journey.visitor_codes import show_code, shown_visitor, spend_code

blueprint = APIBlueprint("visitor_codes", __name__, tag="One ID", url_prefix="/api")
SCANS = RateLimit(60, 600)  # of one tablet: a number cannot be found by trying
NO_NUMBER = "nobody shows this number, or no longer"


class CodeBody(Body):
    """What the number stands for: the beacon's cookie, or an app's code."""

    kind: Literal["cookie", "app"] = "cookie"


class CodeDocument(Document):
    """The number, and how to draw it for a scanner: a path in an SVG of ``width`` × ``height``."""

    code: str
    expires_at: datetime
    bar_code: DrawnDocument


class VisitorDocument(Document):
    """Who shows a number; ``customer_id`` where they are linked already, ``events`` since when otherwise."""

    kind: str
    customer_id: str | None
    events: int
    since: datetime | None


class VisitorLinkBody(Body):
    """The customer who stands at the counter and shows the number."""

    customer_id: Id


class VisitorLinkDocument(Document):
    """The link in force."""

    customer_id: str
    facts: int = Field(description="how much of what was looked at became the customer's")


@blueprint.post("/visitors/<visitor_id>/code")
@blueprint.output(CodeDocument, status_code=201)
@blueprint.doc(operation_id="showVisitorCode", security="machine")
@requires("links")
@blueprint.input(CodeBody, arg_name="body")
def make(caller: Caller, visitor_id: str, body: CodeBody) -> dict[str, Any]:
    """A number for a visitor to show at a counter; a new one ends the former."""
    if caller.machine is None:
        raise NotAllowed("this is for the shop's server", where="Authorization", what_to_do="send a key")
    return new_code(body.kind, visitor_id)


@blueprint.get("/visitor-codes/<code>")
@blueprint.output(VisitorDocument)
@blueprint.doc(
    operation_id="getVisitorCode", security="tablet", responses=answers({404: NO_NUMBER, 429: "too many tries"})
)
@requires()
def look_up(caller: Caller, code: str) -> dict[str, Any]:
    """Who shows a scanned number: somebody's browser already, or nobody's yet."""
    assert caller.tablet is not None
    limit_attempts(SCANS, caller.tablet.device_id, where="code")
    return vars(shown_visitor(reading(), code, now=request_time()))


@blueprint.put("/visitor-codes/<code>/customer")
@blueprint.output(VisitorLinkDocument)
@blueprint.doc(
    operation_id="linkVisitor",
    security="tablet",
    responses=answers(
        {
            403: "the customer has not agreed to suggestions from what they look at",
            404: NO_NUMBER,
            409: "it leads to another customer; nothing is moved, and the CoE is shown both",
            429: "too many tries",
        }
    ),
)
@requires()
@blueprint.input(VisitorLinkBody, arg_name="body")
def link_visitor(caller: Caller, code: str, body: VisitorLinkBody) -> dict[str, Any]:
    """Link the browser or app behind a number to the customer at hand; the number is spent."""
    assert caller.tablet is not None
    limit_attempts(SCANS, caller.tablet.device_id, where="code")
    session = reading()
    customer = current_customer(session, body.customer_id)
    if not may_profile(customer.consent_profiling):
        raise NotAllowed(
            "the customer has not agreed to suggestions from what they look at",
            where="customer_id",
            what_to_do="ask for their consent on the card first",
            problem="no-consent",
        )
    visitor, customer_id = shown_visitor(session, code, now=request_time()), customer.customer_id
    end_reading()
    one_id, facts, _ = link_or_claim(visitor.kind, visitor.visitor_id, customer_id, actor=caller.actor)
    with writing() as writer:
        spend_code(writer, code)
    return {"customer_id": one_id, "facts": facts}


def new_code(kind: str, visitor_id: str) -> dict[str, Any]:
    """A visitor's number as the shop shows it."""
    with writing() as session:
        prefix = settings().chain.member_prefix
        code, until = show_code(session, kind, visitor_id, code_prefix=prefix, now=request_time())
    return {"code": code, "expires_at": until, "bar_code": vars(jan(code))}
