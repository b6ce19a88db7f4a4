"""Becoming a member on the own phone: a clerk shows a code, the customer types a name and decides on two consents."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Index, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.customers import Customer
from journey.database import Base, Instant
from journey.errors import NotFound, OsusumeError
from journey.fact_days import WHOLE, mark_days
from journey.identity import Identity
from journey.one_id import link
from journey.products import Product
from journey.search import search_key
from journey.tokens import hashed, new_token
from journey.visits import Visit

VALID = timedelta(minutes=15)
KEPT = timedelta(days=1)  # how long an invitation that nobody took is remembered
JOINED = "customer.joined"
CODE_DIGITS = 13
DRAWS = 50


class MemberInvitation(Base):
    """One shown code: who showed it where, and who came of it. The token works once; only its hash is kept."""

    __tablename__ = "member_invitations"
    __table_args__ = (Index(None, "customer_id"), Index(None, "expires_at"))

    invitation_id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    store_id: Mapped[str]
    clerk_id: Mapped[str | None]
    device_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    opened_at: Mapped[datetime | None] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    customer_id: Mapped[str | None]

    def state(self, now: datetime) -> str:
        """waiting, opened (the customer is typing), joined, or expired."""
        if self.used_at is not None:
            return "joined"
        if self.expires_at <= now:
            return "expired"
        return "opened" if self.opened_at is not None else "waiting"


@dataclass(frozen=True)
class NewMember:
    """What a customer tells of themselves; both consents are answers of their own, neither follows from the other."""

    name: str
    kana: str
    consent_profiling: bool
    consent_contact: bool


def invite(
    session: Session, *, store_id: str, clerk_id: str | None, device_id: str, now: datetime
) -> tuple[MemberInvitation, str]:
    """A new invitation and its token, which is shown once. What is long over is swept away by the way."""
    over = MemberInvitation.expires_at < now - KEPT
    for old in session.scalars(select(MemberInvitation).where(over, MemberInvitation.used_at.is_(None)).limit(100)):
        session.delete(old)
    token = new_token()
    made = MemberInvitation(
        invitation_id=uuid.uuid4().hex,
        token_hash=hashed(token),
        store_id=store_id,
        clerk_id=clerk_id,
        device_id=device_id,
        created_at=now,
        expires_at=now + VALID,
        opened_at=None,
        used_at=None,
        customer_id=None,
    )
    session.add(made)
    session.flush()
    return made, token


def invitation(session: Session, invitation_id: str, *, store_id: str) -> MemberInvitation:
    """An invitation of this store.

    Raises:
        NotFound: there is none of this id here.
    """
    found = session.get(MemberInvitation, invitation_id)
    if found is None or found.store_id != store_id:
        raise NotFound(f"no invitation {invitation_id!r}", where="invitation_id", what_to_do="show a new code")
    return found


def invited(session: Session, token: str) -> MemberInvitation | None:
    """The invitation that a token belongs to, whatever its state."""
    return session.scalar(select(MemberInvitation).where(MemberInvitation.token_hash == hashed(token)))


def note_opened(session: Session, invitation_id: str, *, now: datetime) -> None:
    """The customer's phone shows the form."""
    unseen = MemberInvitation.opened_at.is_(None) & (MemberInvitation.invitation_id == invitation_id)
    session.execute(update(MemberInvitation).where(unseen).values(opened_at=now))


def join(
    session: Session, token: str, member: NewMember, *, code_prefix: str, joined_on: date, now: datetime
) -> Customer:
    """Make the customer, with a card number of their own and as somebody who is in the store; the token is spent,
    also where two phones hold it.

    The number of the card is the customer's id as well: the chain's own master data may name them by it later.

    Raises:
        NotFound: no such invitation, or it was used or has run out (``state`` tells).
    """
    open_one = (
        (MemberInvitation.token_hash == hashed(token))
        & MemberInvitation.used_at.is_(None)
        & (MemberInvitation.expires_at > now)
    )
    taken = session.execute(update(MemberInvitation).where(open_one).values(used_at=now)).rowcount  # type: ignore[attr-defined]
    found = invited(session, token)
    if not taken or found is None:
        raise NotFound(
            "this invitation was used, is over or never was",
            where="token",
            what_to_do="ask for a new code at the counter",
            problem="invitation",
            state=found.state(now) if found else "unknown",
        )
    session.refresh(found)
    code = free_code(session, code_prefix)
    customer = Customer(
        customer_id=code,
        name=member.name,
        kana=member.kana,
        joined_on=joined_on,
        birth_year=None,
        gender=None,
        area=None,
        tier=None,
        consent_profiling=member.consent_profiling,
        consent_contact=member.consent_contact,
        search_key=search_key(member.name, member.kana),
        merged_into=None,
        erased_at=None,
    )
    session.add(customer)
    session.flush()
    found.customer_id = code
    mark_days(session.connection(), "customers", [WHOLE])
    record_act(
        session,
        at=now,
        actor=f"invitation:{found.invitation_id}",
        action=JOINED,
        subject_kind="customer",
        subject_id=code,
        detail={"store_id": found.store_id, "clerk_id": found.clerk_id, "device_id": found.device_id},
    )
    session.add(  # they stand at the counter: whoever looks at the list of arrivals finds them there
        Visit(
            visit_id=f"join-{found.invitation_id}",
            store_id=found.store_id,
            customer_id=code,
            customer_ref=code,
            source="checkin",
            arrived_at=now,
        )
    )
    link(session, "card", code, code, actor=f"invitation:{found.invitation_id}", now=now)
    return session.get_one(Customer, code)


def free_code(session: Session, prefix: str) -> str:
    """A JAN-13 of the chain's own range that no card, customer or product has.

    Raises:
        OsusumeError: the range is as good as used up.
    """
    for _ in range(DRAWS):
        digits = prefix + "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS - 1 - len(prefix)))
        code = digits + check_digit(digits)
        taken = session.scalar(
            select(
                exists().where(Identity.value == code)
                | exists().where(Customer.customer_id == code)
                | exists().where(Product.product_id == code)
            )
        )
        if not taken:
            return code
    raise OsusumeError(
        f"no free member number begins with {prefix}",
        where="OSUSUME_MEMBER_PREFIX",
        what_to_do="set another prefix of the range 20 to 29",
    )


def check_digit(digits: str) -> str:
    """The check digit of a JAN/EAN: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)
