"""What may be proposed besides products (ご案内): events of the stores, and the offers shown with their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant, is_sqlite
from journey.errors import NotFound
from journey.identity import Identity
from journey.products import Product
from journey.purchases import PosLine

COLLECT, COUPON, EVENT, JOIN_APP = KINDS = ("collect", "coupon", "event", "join_app")
ACCEPTED, DECLINED = ANSWERS = ("accepted", "declined")
REMEMBERED = timedelta(days=90)


class StoreEvent(Base):
    """Something that takes place in a store (``store_id`` empty: in all), from ``starts_at`` to before ``ends_at``."""

    __tablename__ = "store_events"
    __table_args__ = (Index(None, "ends_at"),)

    event_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    store_id: Mapped[str | None]
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    category: Mapped[str | None]


class Offer(Base):
    """One offer as shown to a clerk for a customer, once a day; ``subject`` is the coupon, order or event it is about.

    ``usefulness`` is the chance of being accepted that it was ranked by. ``result`` is empty until it is answered.
    """

    __tablename__ = "offers"
    __table_args__ = (Index(None, "customer_id", "shown_at"), Index(None, "kind", "result"))

    offer_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    customer_ref: Mapped[str | None]
    store_id: Mapped[str]
    clerk_id: Mapped[str | None]
    device_id: Mapped[str | None]
    shown_at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str]
    subject: Mapped[str]
    rank: Mapped[int]
    usefulness: Mapped[float]
    result: Mapped[str | None]
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[str | None]


@dataclass(frozen=True)
class OfferHistory:
    """How one offer fared with a customer lately: on how many days it was shown, and the last answer with its time."""

    days: int
    result: str | None
    answered_at: datetime | None


def events_at(session: Session, store_id: str, *, now: datetime, ahead: timedelta) -> list[StoreEvent]:
    """Events of the store that run now or begin within ``ahead``, those that end first before others."""
    here = or_(StoreEvent.store_id.is_(None), StoreEvent.store_id == store_id)
    running = (StoreEvent.starts_at <= now + ahead) & (StoreEvent.ends_at > now)
    chosen = select(StoreEvent).where(here, running).order_by(StoreEvent.ends_at, StoreEvent.event_id)
    return list(session.scalars(chosen))


def uses_app(session: Session, customer_id: str) -> bool | None:
    """Whether an app account belongs to the customer; None where the chain has no app that we know of."""
    own = select(Identity.value).where(Identity.customer_id == customer_id, Identity.kind == "app").limit(1)
    if session.scalar(own) is not None:
        return True
    return False if session.scalar(select(Identity.value).where(Identity.kind == "app").limit(1)) else None


def habits(session: Session, customer_id: str) -> set[str]:
    """The products that the customer bought, and their categories."""
    rows = session.execute(
        select(PosLine.product_id, Product.category)
        .join(Product, Product.product_id == PosLine.product_id)
        .where(PosLine.customer_id == customer_id, PosLine.quantity > 0)
        .distinct()
    )
    return {one for row in rows for one in row if one}


def history(session: Session, customer_id: str, *, now: datetime) -> dict[tuple[str, str], OfferHistory]:
    """By kind and subject what was shown to the customer in the last ninety days."""
    rows = session.execute(
        select(Offer.kind, Offer.subject, Offer.shown_at, Offer.result, Offer.answered_at)
        .where(Offer.customer_id == customer_id, Offer.shown_at >= now - REMEMBERED)
        .order_by(Offer.shown_at)
    )
    found: dict[tuple[str, str], OfferHistory] = {}
    days: dict[tuple[str, str], set[int]] = {}
    for kind, subject, shown_at, result, answered_at in rows:
        key = kind, subject
        days.setdefault(key, set()).add(int(shown_at.timestamp()) // 86_400)
        before = found.get(key)
        last, at = (result, answered_at) if result or before is None else (before.result, before.answered_at)
        found[key] = OfferHistory(len(days[key]), last, at)
    return found


def answers(session: Session, *, since: datetime) -> dict[str, tuple[int, int]]:
    """By kind how many offers were accepted, and how many answered at all."""
    accepted = func.count().filter(Offer.result == ACCEPTED)
    rows = session.execute(
        select(Offer.kind, accepted, func.count())
        .where(Offer.result.is_not(None), Offer.shown_at >= since)
        .group_by(Offer.kind)
    )
    return {kind: (taken, answered) for kind, taken, answered in rows}


def record_shown(session: Session, offers: list[dict[str, Any]]) -> None:
    """Write down offers as shown; one that was written down before under the same id stays as it was."""
    if not offers:
        return
    insert = sqlite.insert(Offer) if is_sqlite(session) else postgresql.insert(Offer)
    session.execute(insert.on_conflict_do_nothing(), offers)


def answer(
    session: Session, offer_id: str, *, result: str | None, clerk_id: str | None, at: datetime, store_id: str | None
) -> Offer:
    """Write down what came of an offer; a later answer replaces an earlier one, None takes it back.

    Raises:
        NotFound: no such offer (in this store, where one is named).
    """
    offer = session.get(Offer, offer_id)
    if offer is None or store_id not in (None, offer.store_id):
        raise NotFound(f"no offer {offer_id!r}", where="offer_id", what_to_do="send the id of an offer that was shown")
    if offer.answered_at is None or at >= offer.answered_at:
        offer.result, offer.answered_at, offer.answered_by = result, at, clerk_id
    session.flush()
    return offer


def accept_redeemed(session: Session, customer_id: str, coupon_id: str, *, at: datetime, by: str | None) -> None:
    """A coupon that was offered in the last day and is redeemed now was accepted, also where nobody tapped."""
    session.execute(
        update(Offer)
        .where(
            Offer.customer_id == customer_id,
            Offer.kind == COUPON,
            Offer.subject == coupon_id,
            Offer.result.is_(None),
            Offer.shown_at.between(at - timedelta(days=1), at + timedelta(minutes=5)),
        )
        .values(result=ACCEPTED, answered_at=at, answered_by=by)
    )
