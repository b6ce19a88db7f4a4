"""Invitations to surveys: who is asked after which visit, drawn so that nobody can choose and nobody is tired.

A keyed hash of the occasion decides, so that a clerk can neither see nor steer who is asked. Nobody is asked again, by
whatever survey, within the quarantine; a store has a quota for each of its days.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.customers import Customer
from journey.database import Base, Instant
from journey.identity import Identity
from journey.local_days import day_bounds, local_date, store_zone, zone
from journey.purchases import PosLine
from journey.questionnaires import Questionnaire
from journey.stores import DEFAULT_TIMEZONE
from journey.suggestions import Suggestion
from journey.surveys import Answer
from journey.tokens import hashed, new_token
from journey.visits import Contact, Visit

LOOK_BACK = timedelta(hours=48)
"""How long after it became due an occasion may still be asked about; a cron that stood still catches up."""


class Invitation(Base):
    """One customer asked once about one occasion. Only the hash of the link's token is kept.

    It ties the answer (``response_id``) to visit, receipt and clerk, none of which the customer's page tells.
    """

    __tablename__ = "survey_invitations"
    __table_args__ = (
        UniqueConstraint("survey_id", "occasion"),
        Index(None, "customer_id", "made_at"),
        Index(None, "store_id", "made_at"),
        Index(None, "response_id"),
    )

    invitation_id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    survey_id: Mapped[str]
    version: Mapped[int]
    occasion: Mapped[str]
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    store_id: Mapped[str | None]
    clerk_id: Mapped[str | None]
    receipt_id: Mapped[str | None]
    visit_id: Mapped[str | None]
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    made_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    response_id: Mapped[str | None]
    commented_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class Occasion:
    """Something a customer could be asked about."""

    name: str
    customer_id: str
    customer_ref: str | None
    store_id: str | None
    clerk_id: str | None
    receipt_id: str | None
    visit_id: str | None
    occurred_at: datetime


def drawn(secret: str, survey_id: str, occasion: str) -> float:
    """Where an occasion falls in [0, 1): the same whenever asked, and unknown to who has not the secret."""
    digest = hmac.new(secret.encode(), f"{survey_id}\x1f{occasion}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def make_invitations(
    session: Session,
    questionnaire: Questionnaire,
    *,
    secret: str,
    now: datetime,
    consent_by_default: bool,
    timezone: str = DEFAULT_TIMEZONE,
) -> list[tuple[Invitation, str]]:
    """Invite whom a published questionnaire is due to ask, each with the token of the link, which is told only here.

    Left out are those who do not want to be contacted, the quarantined, and what is beyond a store's quota for today.
    """
    found = _occasions(session, questionnaire, now)
    share = questionnaire.share
    places = {occasion.name: drawn(secret, questionnaire.survey_id, occasion.name) for occasion in found}
    chosen = sorted((o for o in found if places[o.name] < share), key=lambda o: places[o.name])
    customers = {occasion.customer_id for occasion in chosen}
    resting = _resting(session, now - timedelta(days=questionnaire.quarantine_days), now)
    willing = _willing(session, customers, consent_by_default)
    used = _used_quota(session, questionnaire.survey_id, {o.store_id for o in chosen}, now, timezone)
    made = []
    for occasion in chosen:
        customer, store = occasion.customer_id, occasion.store_id
        if customer in resting or customer not in willing:
            continue
        if store is not None and used[store] >= questionnaire.store_day_quota:
            continue
        resting.add(customer)
        used[store or ""] += 1
        token = new_token()
        invitation = Invitation(
            invitation_id=secrets.token_hex(16), token_hash=hashed(token), survey_id=questionnaire.survey_id,
            version=questionnaire.version, occasion=occasion.name, customer_id=customer,
            customer_ref=occasion.customer_ref, store_id=store, clerk_id=occasion.clerk_id,
            receipt_id=occasion.receipt_id, visit_id=occasion.visit_id, occurred_at=occasion.occurred_at, made_at=now,
            expires_at=now + timedelta(days=questionnaire.valid_days), answered_at=None, response_id=None,
            commented_at=None,
        )  # fmt: skip
        session.add(invitation)
        made.append((invitation, token))
    session.flush()
    return made


def contact_hashes(session: Session, customers: Iterable[str]) -> dict[str, str]:
    """Customer → the hash of their e-mail address, else of their phone, where one is known."""
    wanted = set(customers)
    rows = session.execute(
        select(Identity.customer_id, Identity.kind, Identity.value)
        .where(Identity.kind.in_(("email_hash", "phone_hash")))
        .order_by(Identity.kind.desc(), Identity.linked_at)
    )
    return {customer: value for customer, _, value in rows if customer in wanted}


def answered_share(session: Session, survey_id: str) -> tuple[int, int]:
    """How many were invited to a survey so far, and how many of them answered."""
    row = session.execute(
        select(func.count(), func.count(Invitation.answered_at)).where(Invitation.survey_id == survey_id)
    ).one()
    return int(row[0]), int(row[1])


def _occasions(session: Session, questionnaire: Questionnaire, now: datetime) -> list[Occasion]:
    if questionnaire.kind == "periodic":
        found = _buyers_of_a_period(session, questionnaire, now)
    else:
        until = now - timedelta(hours=questionnaire.delay_hours)
        since = until - LOOK_BACK
        if questionnaire.touchpoint == "call":
            found = _calls(session, since, until)
        else:
            found = _receipts(session, questionnaire.touchpoint or "store", since, until)
            if questionnaire.touchpoint == "store":
                found += _visits(session, since, until)
    known = set(
        session.scalars(
            select(Invitation.occasion).where(
                Invitation.survey_id == questionnaire.survey_id, Invitation.occasion.in_([o.name for o in found])
            )
        )
        if len(found) < 500
        else session.scalars(select(Invitation.occasion).where(Invitation.survey_id == questionnaire.survey_id))
    )
    return [occasion for occasion in found if occasion.name not in known]


def _receipts(session: Session, touchpoint: str, since: datetime, until: datetime) -> list[Occasion]:
    channels = {"ec": ("ec",), "delivery": ("ec",), "app": ("app",)}.get(touchpoint)
    where = PosLine.channel.in_(channels) if channels else PosLine.channel.is_(None) | (PosLine.channel == "store")
    rows = session.execute(
        select(
            PosLine.receipt_id, PosLine.customer_id, func.min(PosLine.customer_ref), func.min(PosLine.store_id),
            func.max(PosLine.clerk_id), func.max(PosLine.sold_at),
        )
        .where(PosLine.sold_at >= since, PosLine.sold_at < until, PosLine.customer_id.is_not(None), where,
               PosLine.quantity > 0)
        .group_by(PosLine.receipt_id, PosLine.customer_id)
    ).all()  # fmt: skip
    served = _served_by(session, since - timedelta(days=1), until)
    return [
        Occasion(f"receipt:{receipt}", customer, ref, store, clerk or served.get((customer, store)), receipt, None, at)
        for receipt, customer, ref, store, clerk, at in rows
        if customer is not None
    ]


def _served_by(session: Session, since: datetime, until: datetime) -> dict[tuple[str, str], str]:
    """(customer, store) → the clerk who showed something last."""
    rows = session.execute(
        select(Suggestion.customer_id, Suggestion.store_id, Suggestion.clerk_id)
        .where(Suggestion.shown_at >= since, Suggestion.shown_at < until, Suggestion.clerk_id.is_not(None))
        .order_by(Suggestion.shown_at)
    )
    return {(customer, store): clerk for customer, store, clerk in rows if customer and clerk}


def _visits(session: Session, since: datetime, until: datetime) -> list[Occasion]:
    """Visits that ended without a purchase, too: who left with nothing has something to say."""
    rows = session.scalars(select(Visit).where(Visit.ended_at >= since, Visit.ended_at < until))
    return [
        Occasion(
            f"visit:{v.visit_id}", v.customer_id, v.customer_ref, v.store_id, v.clerk_id, None, v.visit_id, v.ended_at
        )
        for v in rows
        if v.ended_at is not None
    ]


def _calls(session: Session, since: datetime, until: datetime) -> list[Occasion]:
    rows = session.scalars(
        select(Contact).where(Contact.started_at >= since, Contact.started_at < until, Contact.customer_id.is_not(None))
    )
    return [
        Occasion(f"contact:{c.contact_id}", c.customer_id, c.customer_ref, None, None, None, None, c.started_at)
        for c in rows
        if c.customer_id is not None
    ]


def _buyers_of_a_period(session: Session, questionnaire: Questionnaire, now: datetime) -> list[Occasion]:
    """Everybody who bought in the last period, once a period; the share is drawn anew each time."""
    span = timedelta(days=questionnaire.period_days)
    number = int(now.timestamp() // span.total_seconds())
    rows = session.execute(
        select(PosLine.customer_id, func.min(PosLine.customer_ref), func.max(PosLine.sold_at))
        .where(PosLine.sold_at >= now - span, PosLine.sold_at < now, PosLine.customer_id.is_not(None))
        .group_by(PosLine.customer_id)
    )
    return [
        Occasion(f"period:{questionnaire.period_days}:{number}:{customer}", customer, ref, None, None, None, None, at)
        for customer, ref, at in rows
        if customer is not None
    ]


def _resting(session: Session, since: datetime, now: datetime) -> set[str]:
    """Who was asked or answered since then, by whatever survey."""
    asked = select(Invitation.customer_id).where(Invitation.made_at > since)
    answered = select(Answer.customer_id).where(
        Answer.answered_at > since, Answer.answered_at <= now, Answer.customer_id.is_not(None)
    )
    return {customer for customer in session.scalars(asked.union(answered)) if customer is not None}


def _willing(session: Session, customers: set[str], by_default: bool) -> set[str]:
    yes = Customer.consent_contact.is_(True)
    consent = yes | Customer.consent_contact.is_(None) if by_default else yes
    willing = session.scalars(select(Customer.customer_id).where(consent, Customer.merged_into.is_(None)))
    return customers.intersection(willing)


def _used_quota(
    session: Session, survey_id: str, stores: set[str | None], now: datetime, timezone: str
) -> Counter[str]:
    """Store → invitations already made on the store's today."""
    used: Counter[str] = Counter()
    for store in stores - {None}:
        assert store is not None
        tz = store_zone(session, store, timezone)
        start, end = day_bounds(local_date(now, tz), zone(tz.key))
        used[store] = int(
            session.scalar(
                select(func.count()).where(
                    Invitation.survey_id == survey_id, Invitation.store_id == store, Invitation.made_at >= start,
                    Invitation.made_at < end,
                )
            )
            or 0
        )  # fmt: skip
    return used
