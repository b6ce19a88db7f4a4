"""What serves a customer better than a product: an order to hand over, a coupon to use, an event, joining the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from journey.customer_cards import OpenCoupon, open_coupons, waiting_orders
from journey.customers import Customer
from journey.offers import (
    ACCEPTED,
    COLLECT,
    COUPON,
    EVENT,
    JOIN_APP,
    OfferHistory,
    answers,
    events_at,
    habits,
    history,
    uses_app,
)
from recommender.offer_texts import OfferText, text_of

MOST: Final = 3
USUAL: Final[Mapping[str, float]] = {COLLECT: 0.9, COUPON: 0.3, EVENT: 0.12, JOIN_APP: 0.08}
"""The chance that a customer takes up an offer, until the chain's own answers say otherwise."""
PRIOR_ANSWERS: Final = 30.0
"""So many answers' worth of the usual chance is mixed into the chain's own share."""
LEARNT_FROM: Final = timedelta(days=180)
FITS: Final = 1.6
"""A coupon or event for what the customer buys is taken up so many times as often as one for anything."""
ENDS_SOON: Final = timedelta(days=3)
URGENT: Final = 1.3
EVENT_AHEAD: Final = timedelta(days=7)
RESTS: Final[Mapping[str, timedelta]] = {
    COUPON: timedelta(days=14),
    EVENT: timedelta(days=90),
    JOIN_APP: timedelta(days=90),
}
"""How long an offer that was declined is not made again."""
ACCEPTED_RESTS: Final = timedelta(days=1)
WORN_OUT_DAYS: Final = 4
"""Shown on so many days of the last ninety without an answer, an offer rests; an order is never worn out."""
NAMES: Final = UUID("0f0c6b5e-53b4-4a57-9a55-0d2f0a4a8f53")


@dataclass(frozen=True)
class Proposed:
    """An offer to make now. ``subject`` is the coupon, order or event; ``until`` when it ends; ``usefulness`` is its
    chance of being taken up, on the scale of a suggestion's probability.
    """

    kind: str
    subject: str
    usefulness: float
    until: datetime | None
    text: OfferText

    def offer_id(self, customer_id: str, store_id: str, clerk_id: str | None, day: Any) -> str:
        """The id under which it is recorded: the same all day, so that opening a card twice shows it once."""
        return uuid5(NAMES, "|".join((customer_id, store_id, clerk_id or "", str(day), self.kind, self.subject))).hex


def offers_for(
    session: Session, customer: Customer, store_id: str, *, now: datetime, tz: tzinfo, may_profile: bool, language: str
) -> list[Proposed]:
    """At most MOST offers for a customer in a store, the most useful first.

    Without consent to profiling nothing is fitted to what was bought; who refused to be contacted is not asked to join
    the app.
    """
    customer_id = customer.customer_id
    rates = acceptance(session, now=now)
    bought = habits(session, customer_id) if may_profile else set()
    found: list[Proposed] = []

    def add(kind: str, subject: str, times: float, until: datetime | None, **facts: Any) -> None:
        text = text_of(kind, language, until=until.astimezone(tz) if until else None, today=now.astimezone(tz), **facts)
        found.append(Proposed(kind, subject, round(min(rates[kind] * times, 0.95), 4), until, text))

    for order in waiting_orders(session, customer_id):
        if order.store_id == store_id:
            add(COLLECT, order.order_id, 1.0, None, name=order.order_id, pickup=order.pickup_at)
    for coupon in open_coupons(session, customer_id, now=now):
        if usable_here(coupon):
            add(COUPON, coupon.coupon_id, _fit(coupon.product_id, coupon.category, bought)
                * _urgency(coupon.valid_until, now), coupon.valid_until, name=coupon.name)  # fmt: skip
    for event in events_at(session, store_id, now=now, ahead=EVENT_AHEAD):
        begins = event.starts_at.astimezone(tz) if event.starts_at > now else None
        add(EVENT, event.event_id, _fit(None, event.category, bought) * _urgency(event.ends_at, now), event.ends_at,
            name=event.name, begins=begins)  # fmt: skip
    if customer.consent_contact is not False and uses_app(session, customer_id) is False:
        add(JOIN_APP, "", 1.0, None)
    past = history(session, customer_id, now=now)
    open_ones = [one for one in found if not _rests(one, past.get((one.kind, one.subject)), now)]
    return sorted(open_ones, key=lambda one: -one.usefulness)[:MOST]


def acceptance(session: Session, *, now: datetime) -> dict[str, float]:
    """By kind the chance of being taken up: the chain's own answers, drawn towards the usual chance."""
    told = answers(session, since=now - LEARNT_FROM)
    return {
        kind: (told.get(kind, (0, 0))[0] + PRIOR_ANSWERS * usual) / (told.get(kind, (0, 0))[1] + PRIOR_ANSWERS)
        for kind, usual in USUAL.items()
    }


def usable_here(coupon: OpenCoupon) -> bool:
    """Whether a coupon can be redeemed at a counter."""
    return not coupon.channels or "store" in coupon.channels.split("|")


def _fit(product_id: str | None, category: str | None, bought: set[str]) -> float:
    if product_id is None and category is None:
        return 1.0
    below = f"{category} > "
    own = product_id in bought or (category is not None and any(c == category or c.startswith(below) for c in bought))
    return FITS if own else 1.0


def _urgency(until: datetime | None, now: datetime) -> float:
    return URGENT if until is not None and until - now <= ENDS_SOON else 1.0


def _rests(one: Proposed, past: OfferHistory | None, now: datetime) -> bool:
    if past is None or one.kind == COLLECT:
        return False
    if past.result is not None and past.answered_at is not None:
        rest = ACCEPTED_RESTS if past.result == ACCEPTED else RESTS[one.kind]
        return now - past.answered_at < rest
    return past.days >= WORN_OUT_DAYS
