"""Whose figures a staff page shows, and over which days; and who looked is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import request

from analytics import staff_success
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import signed_in
from journey.audit import record_act
from journey.errors import NotFound
from journey.local_days import zone
from journey.rollups import last_run
from journey.stores import Clerk

EVERYTHING = 0
SPANS = (*staff_success.SPANS, EVERYTHING)
USUAL = staff_success.SPANS[1]


@dataclass(frozen=True)
class Span:
    """The days of a page: ``days`` as chosen (0: everything known), first and last (None: open), when rolled up."""

    days: int
    start: date | None
    end: date | None
    rolled_up_at: datetime | None


@dataclass(frozen=True)
class Subject:
    """Whose page it is; ``base`` is its address, ``own`` whether it is of the person who looks."""

    clerk_id: str
    name: str
    store_id: str
    own: bool

    @property
    def coached(self) -> bool:
        """Whether the person who looks may see and write notes and goals: the clerk and the store's manager only."""
        return self.own or signed_in().role == "manager"

    @property
    def base(self) -> str:
        """The address of the page."""
        return "/store/me" if self.own else f"/store/people/{self.clerk_id}"


def span() -> Span:
    """The days asked for by ``?days=``; they end with the last day that was rolled up."""
    days = request.args.get("days", USUAL, type=int)
    days = days if days in SPANS else USUAL
    run = last_run(reading(), "staff")
    if days == EVERYTHING:
        return Span(days, None, None, run.ran_at if run else None)
    through = run.through if run else request_time().astimezone(zone(None, settings().chain.timezone)).date()
    return Span(days, *staff_success.usual_span(days, through), run.ran_at if run else None)


def colleague(clerk_id: str) -> Subject:
    """A clerk whose figures the person who asks may see.

    Raises:
        NotFound: no such clerk.
        NotAllowed: another store's.
    """
    clerk = reading().get(Clerk, clerk_id)
    if clerk is None:
        raise NotFound(f"no clerk {clerk_id!r}", where="clerk_id", what_to_do="choose one on the team page")
    require_store(clerk.store_id)
    return Subject(clerk.clerk_id, clerk.name, clerk.store_id, own=False)


def oneself() -> Subject:
    """The clerk who looks at the own page.

    Raises:
        NotFound: this account is no clerk of the record.
    """
    person = signed_in()
    clerk = reading().get(Clerk, person.clerk_id) if person.clerk_id else None
    if clerk is None:
        raise NotFound("this account is no clerk", where="account", what_to_do="open the team page instead")
    return Subject(clerk.clerk_id, clerk.name, clerk.store_id, own=True)


def keep_view_of(subject: Subject, action: str = "staff.viewed") -> None:
    """Leave in the audit log that the signed-in person saw a clerk's figures; looking at one's own is told apart."""
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}",
            action=f"{action}_own" if subject.own else action, subject_kind="clerk", subject_id=subject.clerk_id,
        )  # fmt: skip
