"""What a clerk is told about a customer: read from all channels, nothing that the person did not allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from journey.coupons import Coupon, CouponGrant
from journey.customers import CustomerNote
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Clerk
from journey.surveys import Answer
from journey.visits import Order
from journey.web import WebEvent

INTERESTS_FOR = timedelta(days=14)
INTEREST_KINDS = ("cart", "favorite", "recommend_click", "search", "view", "content_view")
EVENTS_READ = 300
CLOSED_ORDERS = ("collected", "completed", "done", "cancelled", "canceled", "returned")
ASKED_OF_THE_WHOLE = ("overall", "nps")


@dataclass(frozen=True)
class WebInterest:
    """A product, content or search looked at on the web: how (the strongest kind), how often, when last."""

    kind: str
    times: int
    last_at: datetime
    product_id: str | None = None
    product_name: str | None = None
    query: str | None = None
    content_id: str | None = None


@dataclass(frozen=True)
class OpenCoupon:
    """A coupon in the customer's hands that can be redeemed now; ``channel`` is where it was granted."""

    coupon_id: str
    name: str
    kind: str | None
    value: Decimal | None
    valid_until: datetime | None
    product_id: str | None
    category: str | None
    channel: str | None
    granted_at: datetime
    channels: str | None = None
    """Where it can be redeemed, joined by ``|``; empty: anywhere."""


@dataclass(frozen=True)
class WaitingOrder:
    """An order to collect."""

    order_id: str
    store_id: str
    ordered_at: datetime
    pickup_at: datetime | None
    status: str | None


@dataclass(frozen=True)
class LastAnswer:
    """The latest answer the customer gave us; one that says something about the whole comes before others."""

    question: str
    touchpoint: str
    score: float | None
    scale_min: float | None
    scale_max: float | None
    comment: str | None
    answered_at: datetime


@dataclass(frozen=True)
class Note:
    """A clerk's note."""

    note_id: str
    text: str
    written_at: datetime
    clerk_id: str
    clerk_name: str | None


@dataclass(frozen=True)
class FrequentProduct:
    """A product bought on several days."""

    product_id: str
    name: str
    days: int
    last_at: datetime


def last_store_visit(session: Session, customer_id: str) -> datetime | None:
    """The latest purchase in a shop (not on the web)."""
    statement = select(func.max(PosLine.sold_at)).where(
        PosLine.customer_id == customer_id, or_(PosLine.channel.is_(None), PosLine.channel == "store")
    )
    return session.scalar(statement)


def web_interests(session: Session, customer_id: str, *, now: datetime, limit: int = 8) -> list[WebInterest]:
    """What the customer looked at on the web and in the app in the last 14 days, the latest first."""
    rows = session.execute(
        select(
            WebEvent.kind, WebEvent.occurred_at, WebEvent.product_id, WebEvent.content_id, WebEvent.query, Product.name
        )
        .outerjoin(Product, Product.product_id == WebEvent.product_id)
        .where(
            WebEvent.customer_id == customer_id,
            WebEvent.occurred_at >= now - INTERESTS_FOR,
            WebEvent.occurred_at <= now,
            WebEvent.kind.in_(INTEREST_KINDS),
        )
        .order_by(WebEvent.occurred_at.desc())
        .limit(EVENTS_READ)
    ).all()
    found: dict[tuple[str, str], WebInterest] = {}
    for kind, at, product_id, content_id, query, name in rows:
        what = product_id or query or content_id
        if not what:
            continue
        key = ("product" if product_id else "query" if query else "content", what)
        earlier = found.get(key)
        if earlier is None:
            found[key] = WebInterest(
                kind,
                1,
                at,
                product_id,
                name,
                None if product_id else query,
                None if product_id or query else content_id,
            )
            continue
        strongest = min(kind, earlier.kind, key=INTEREST_KINDS.index)
        found[key] = WebInterest(
            strongest, earlier.times + 1, earlier.last_at, product_id, name, earlier.query, earlier.content_id
        )
    return list(found.values())[:limit]


def open_coupons(session: Session, customer_id: str, *, now: datetime) -> list[OpenCoupon]:
    """Coupons not yet redeemed and valid now, wherever they were granted; those that end first come first."""
    rows = session.execute(
        select(CouponGrant, Coupon)
        .join(Coupon, Coupon.coupon_id == CouponGrant.coupon_id)
        .where(
            CouponGrant.customer_id == customer_id,
            CouponGrant.redeemed_at.is_(None),
            or_(Coupon.valid_from.is_(None), Coupon.valid_from <= now),
            or_(Coupon.valid_until.is_(None), Coupon.valid_until >= now),
        )
        .order_by(Coupon.valid_until.is_(None), Coupon.valid_until, Coupon.coupon_id)
    )
    return [
        OpenCoupon(
            coupon_id=coupon.coupon_id,
            name=coupon.name,
            kind=coupon.kind,
            value=coupon.value,
            valid_until=coupon.valid_until,
            product_id=coupon.product_id,
            category=coupon.category,
            channel=grant.channel,
            granted_at=grant.granted_at,
            channels=coupon.channels,
        )
        for grant, coupon in rows
    ]


def waiting_orders(session: Session, customer_id: str) -> list[WaitingOrder]:
    """Orders of the customer that are still to be collected, in any store."""
    orders = session.scalars(
        select(Order)
        .where(Order.customer_id == customer_id, or_(Order.status.is_(None), Order.status.not_in(CLOSED_ORDERS)))
        .order_by(Order.pickup_at.is_(None), Order.pickup_at, Order.order_id)
    )
    return [WaitingOrder(o.order_id, o.store_id, o.ordered_at, o.pickup_at, o.status) for o in orders]


def last_answer(session: Session, customer_id: str) -> LastAnswer | None:
    """The latest sheet's most telling answer: with a comment, else about the whole, else any."""
    newest = (
        select(Answer.response_id)
        .where(Answer.customer_id == customer_id)
        .order_by(Answer.answered_at.desc(), Answer.response_id)
        .limit(1)
        .scalar_subquery()
    )
    sheet = session.scalars(select(Answer).where(Answer.response_id == newest, Answer.customer_id == customer_id)).all()
    if not sheet:
        return None
    answer = min(sheet, key=lambda one: (not one.comment, one.question not in ASKED_OF_THE_WHOLE, one.question))
    return LastAnswer(
        question=answer.question,
        touchpoint=answer.touchpoint,
        score=answer.score,
        scale_min=answer.scale_min,
        scale_max=answer.scale_max,
        comment=answer.comment,
        answered_at=answer.answered_at,
    )


def notes(session: Session, customer_id: str, *, limit: int = 10) -> list[Note]:
    """What clerks noted, the latest first."""
    rows = session.execute(
        select(CustomerNote, Clerk.name)
        .outerjoin(Clerk, Clerk.clerk_id == CustomerNote.clerk_id)
        .where(CustomerNote.customer_id == customer_id)
        .order_by(CustomerNote.written_at.desc(), CustomerNote.note_id)
        .limit(limit)
    )
    return [Note(n.note_id, n.text, n.written_at, n.clerk_id, clerk_name) for n, clerk_name in rows]


def frequent_products(session: Session, customer_id: str, *, limit: int = 5) -> list[FrequentProduct]:
    """What the customer bought on at least two days, most often first."""
    days = func.count(PosLine.local_day.distinct())
    last_at = func.max(PosLine.sold_at)
    rows = session.execute(
        select(PosLine.product_id, Product.name, days, last_at)
        .join(Product, Product.product_id == PosLine.product_id)
        .where(PosLine.customer_id == customer_id, PosLine.quantity > 0)
        .group_by(PosLine.product_id, Product.name)
        .having(days >= 2)
        .order_by(days.desc(), last_at.desc(), PosLine.product_id)
        .limit(limit)
    )
    return [FrequentProduct(*row) for row in rows]
