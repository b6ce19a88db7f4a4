"""Granting a coupon: on any channel, once to a person, however often it is asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from journey.coupons import Coupon, CouponGrant
from journey.database import is_sqlite
from journey.errors import InputError, NotFound


def grant(
    session: Session, coupon_id: str, customer_id: str, *, channel: str, now: datetime
) -> tuple[CouponGrant, bool]:
    """Put a coupon into a customer's hands; returns the grant, and whether this call made it.

    Of several at the same moment one grants and the others find it. ``customer_id`` is a One ID.

    Raises:
        NotFound: no such coupon.
        InputError: it is over.
    """
    coupon = session.get(Coupon, coupon_id)
    if coupon is None:
        raise NotFound(f"no coupon {coupon_id!r}", where="coupon_id", what_to_do="import the coupons first")
    held = select(CouponGrant).where(CouponGrant.coupon_id == coupon_id, CouponGrant.customer_id == customer_id)
    known = session.scalars(held.order_by(CouponGrant.granted_at)).first()
    if known is not None:
        return known, False
    if coupon.valid_until is not None and coupon.valid_until < now:
        raise InputError(
            "the coupon is over", where="coupon_id", what_to_do="grant another one", problem="coupon-not-valid"
        )
    insert = (sqlite if is_sqlite(session) else postgresql).insert(CouponGrant)
    made = session.execute(
        insert.values(
            coupon_id=coupon_id, customer_ref=customer_id, customer_id=customer_id, granted_at=now, channel=channel
        )
        .on_conflict_do_nothing()
        .returning(CouponGrant.coupon_id)
    ).first()
    return session.scalars(held).one(), made is not None
