"""A number that a web shop or an app shows for a few minutes, so that a counter can tell whose browser it is.

It stands for a visitor's cookie (or an app's code) as long as it lives and is spent by the link that it leads to. Only
its hash is kept: whoever reads the record cannot show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant
from journey.errors import InputError, NotFound
from journey.identity import VISITOR_KINDS, owner
from journey.member_invitations import free_code
from journey.tokens import hashed
from journey.web import WebEvent

VALID = timedelta(minutes=5)


class VisitorCode(Base):
    """One number on a visitor's screen; ``kind`` and ``visitor_id`` are the identifier that it stands for."""

    __tablename__ = "visitor_codes"
    __table_args__ = (Index(None, "visitor_id"), Index(None, "expires_at"))

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    visitor_id: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class ShownVisitor:
    """Who shows the number: whose they are by now (None: nobody's), and how much they have looked at since when."""

    kind: str
    visitor_id: str
    customer_id: str | None
    events: int
    since: datetime | None


def show_code(session: Session, kind: str, visitor_id: str, *, code_prefix: str, now: datetime) -> tuple[str, datetime]:
    """A new number for a visitor, and until when it holds. The visitor's former one and all that are over are gone.

    Returns:
        A JAN-13 of the chain's own range that no card, customer or product has.

    Raises:
        InputError: the identifier is none of a visitor.
    """
    if kind not in VISITOR_KINDS:
        raise InputError(f"no visitor by {kind!r}", where="kind", what_to_do=f"use one of {', '.join(VISITOR_KINDS)}")
    former = or_(VisitorCode.visitor_id == visitor_id, VisitorCode.expires_at <= now)
    session.execute(delete(VisitorCode).where(former))
    code = free_code(session, code_prefix)
    while session.get(VisitorCode, hashed(code)) is not None:
        code = free_code(session, code_prefix)
    until = now + VALID
    session.add(VisitorCode(code_hash=hashed(code), kind=kind, visitor_id=visitor_id, expires_at=until))
    session.flush()
    return code, until


def shown_visitor(session: Session, code: str, *, now: datetime) -> ShownVisitor:
    """Who shows this number.

    Raises:
        NotFound: nobody does, or no longer.
    """
    found = session.get(VisitorCode, hashed(code))
    if found is None or found.expires_at <= now:
        raise NotFound(
            "no web shop or app shows this number",
            where="code",
            what_to_do="let the customer show a new one; it holds for five minutes",
            problem="visitor-code",
        )
    looked = select(func.count(), func.min(WebEvent.occurred_at)).where(WebEvent.visitor_id == found.visitor_id)
    events, since = session.execute(looked).one()
    return ShownVisitor(found.kind, found.visitor_id, owner(session, found.kind, found.visitor_id), events, since)


def spend_code(session: Session, code: str) -> None:
    """The number has done what it was for."""
    session.execute(delete(VisitorCode).where(VisitorCode.code_hash == hashed(code)))
