"""Redeeming a coupon once, however many tills and tablets try at the same moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.coupons import Coupon, CouponGrant
from journey.errors import Conflict, InputError, NotFound
from journey.offers import accept_redeemed


@dataclass(frozen=True)
class Redemption:
    """One wish to redeem; ``redemption_id`` makes it safe to send again."""

    redemption_id: str
    coupon_id: str
    customer_id: str
    redeemed_at: datetime
    channel: str
    store_id: str | None = None
    by: str | None = None


def redeem(session: Session, wish: Redemption) -> tuple[CouponGrant, bool]:
    """Redeem the coupon granted first to this customer; returns the grant, and whether this call redeemed it.

    Raises:
        NotFound: no such coupon, or it was never granted to this customer.
        InputError: it is not valid at that moment, or not on this channel.
        Conflict: it was redeemed before; ``redeemed_at`` and ``redeemed_channel`` tell when and where.
    """
    coupon = session.get(Coupon, wish.coupon_id)
    if coupon is None:
        raise NotFound(f"no coupon {wish.coupon_id!r}", where="coupon_id", what_to_do="check the code")
    # The rows are locked (on SQLite the whole database is), so that of two at one moment the second sees the first.
    grants = session.scalars(
        select(CouponGrant)
        .where(CouponGrant.coupon_id == wish.coupon_id, CouponGrant.customer_id == wish.customer_id)
        .order_by(CouponGrant.granted_at, CouponGrant.customer_ref)
        .with_for_update()
    ).all()
    if not grants:
        raise NotFound(
            f"coupon {wish.coupon_id!r} was not granted to this customer",
            where="customer_id",
            what_to_do="open the customer who holds it",
        )
    for grant in grants:
        if grant.redemption_id == wish.redemption_id:
            return grant, False
    free = next((grant for grant in grants if grant.redeemed_at is None), None)
    if free is None:
        last = max(grants, key=lambda grant: grant.redeemed_at or grant.granted_at)
        raise Conflict(
            "this coupon is redeemed already",
            where="coupon_id",
            what_to_do="do not grant the reduction again",
            problem="redeemed",
            redeemed_at=last.redeemed_at.isoformat() if last.redeemed_at else None,
            redeemed_channel=last.redeemed_channel,
        )
    _check_valid(coupon, wish)
    free.redeemed_at, free.redeemed_channel = wish.redeemed_at, wish.channel
    free.redemption_id, free.redeemed_store_id, free.redeemed_by = wish.redemption_id, wish.store_id, wish.by
    session.flush()
    accept_redeemed(session, wish.customer_id, wish.coupon_id, at=wish.redeemed_at, by=wish.by)
    return free, True


def _check_valid(coupon: Coupon, wish: Redemption) -> None:
    begun = coupon.valid_from is None or coupon.valid_from <= wish.redeemed_at
    ended = coupon.valid_until is not None and coupon.valid_until < wish.redeemed_at
    if not begun or ended:
        raise InputError(
            "the coupon is over" if ended else "the coupon is not valid yet",
            where="coupon_id",
            what_to_do="offer another one",
            problem="coupon-not-valid",
        )
    if coupon.channels and wish.channel not in coupon.channels.split("|"):
        raise InputError(
            f"the coupon is not for {wish.channel}",
            where="channel",
            what_to_do=f"use it on {coupon.channels}",
            problem="coupon-not-valid",
        )
