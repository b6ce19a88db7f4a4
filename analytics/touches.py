"""Customers' touches and purchases from the record, as moments: what journeys and attribution look at."""

from __future__ import annotations

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.coupons import CouponGrant
from journey.outcomes import PROPOSED, Outcome
from journey.purchases import PosLine
from journey.suggestions import Suggestion
from journey.visits import Contact, Visit
from journey.web import WebEvent

WEB_TOUCHES = {
    "mail_open": "mail",
    "recommend_click": "recommendation",
    "content_view": "content",
    "search": "web",
    "view": "web",
    "cart": "web",
    "favorite": "web",
}
"""Which channel a web event is a touch of. The purchase itself is a conversion, not a touch."""

_MOMENTS = {"customer_id": TEXT, "at": WHOLE}
_HOUR_MICROS = 3_600_000_000


def in_store() -> ColumnElement[bool]:
    """Lines sold over a counter: no channel named, or the store's."""
    return or_(PosLine.channel.is_(None), PosLine.channel == "store")


def purchase_moments(
    session: Session, period: Period, *, store: str | None = None, counter_only: bool = False
) -> pl.DataFrame:
    """First sale of each customer's purchase day: customer_id, at. Returns alone are no purchase."""
    chosen = period.covers(PosLine.sold_at) & PosLine.customer_id.is_not(None) & (PosLine.quantity > 0)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    if counter_only:
        chosen = chosen & in_store()
    first = func.min(type_coerce(PosLine.sold_at, BigInteger))
    statement = select(PosLine.customer_id, first).where(chosen).group_by(PosLine.customer_id, PosLine.local_day)
    return query_frame(session, statement, _MOMENTS)


def arrival_moments(session: Session, period: Period, *, store: str | None = None) -> pl.DataFrame:
    """Customers seen in a store without regard to buying: customer_id, at."""
    chosen = period.covers(Visit.arrived_at)
    if store is not None:
        chosen = chosen & (Visit.store_id == store)
    return query_frame(
        session, select(Visit.customer_id, type_coerce(Visit.arrived_at, BigInteger)).where(chosen), _MOMENTS
    )


def touch_moments(session: Session, period: Period) -> pl.DataFrame:
    """Every touch of a known customer: customer_id, at, channel.

    Channels: web, mail (opened), recommendation, content, clerk (a proposal), coupon (a grant), and call, chat or
    contact mail as the contact centre names them. Touches on one channel within an hour count once.
    """
    # An hour of one channel is one row: a visit of forty page views is one touch, and the database does the thinning.
    hour = type_coerce(WebEvent.occurred_at, BigInteger) // _HOUR_MICROS
    web = (
        select(WebEvent.customer_id, func.min(type_coerce(WebEvent.occurred_at, BigInteger)), WebEvent.kind)
        .where(period.covers(WebEvent.occurred_at), WebEvent.customer_id.is_not(None), WebEvent.kind.in_(WEB_TOUCHES))
        .group_by(WebEvent.customer_id, WebEvent.kind, hour)
    )
    proposals = (
        select(Suggestion.customer_id, func.min(type_coerce(Suggestion.shown_at, BigInteger)))
        .join(Outcome, Outcome.suggestion_id == Suggestion.suggestion_id)
        .where(period.covers(Suggestion.shown_at), Suggestion.customer_id.is_not(None))
        .where(Outcome.current, Outcome.result.in_(PROPOSED))
        .group_by(Suggestion.customer_id, type_coerce(Suggestion.shown_at, BigInteger) // _HOUR_MICROS)
    )
    grants = select(CouponGrant.customer_id, type_coerce(CouponGrant.granted_at, BigInteger)).where(
        period.covers(CouponGrant.granted_at)
    )
    contacts = select(Contact.customer_id, type_coerce(Contact.started_at, BigInteger), Contact.channel).where(
        period.covers(Contact.started_at), Contact.customer_id.is_not(None)
    )
    named = _MOMENTS | {"channel": TEXT}
    kinds = query_frame(session, web, named)
    kinds = kinds.with_columns(pl.col("channel").replace_strict(WEB_TOUCHES, return_dtype=pl.String))
    centre = query_frame(session, contacts, named)
    centre = centre.with_columns(
        channel=pl.when(pl.col("channel") == "mail")
        .then(pl.lit("contact mail"))
        .otherwise(pl.col("channel").fill_null("call"))
    )
    touches = pl.concat(
        [
            kinds,
            query_frame(session, proposals, _MOMENTS).with_columns(channel=pl.lit("clerk")),
            query_frame(session, grants, _MOMENTS).with_columns(channel=pl.lit("coupon")),
            centre,
        ]
    ).sort("customer_id", "at", "channel")
    hours = pl.col("at") // _HOUR_MICROS
    return touches.unique(["customer_id", "channel", hours], keep="first", maintain_order=True)


def record_end(session: Session) -> int | None:
    """The last moment anything is known of: sale or web event, in microseconds."""
    ends = [
        session.scalar(select(func.max(type_coerce(PosLine.sold_at, BigInteger)))),
        session.scalar(select(func.max(type_coerce(WebEvent.occurred_at, BigInteger)))),
    ]
    return max((end for end in ends if end is not None), default=None)
