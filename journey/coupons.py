"""Coupons: granted on any channel, usable on any."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant, Money


class Coupon(Base):
    """A coupon; ``channels`` joined by ``|``; ``value`` is money for kind amount, per cent for kind percent."""

    __tablename__ = "coupons"

    coupon_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str | None]
    value: Mapped[Decimal | None] = mapped_column(Money)
    valid_from: Mapped[datetime | None] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    product_id: Mapped[str | None]
    category: Mapped[str | None]
    channels: Mapped[str | None]


class CouponGrant(Base):
    """A coupon in one customer's hands; the key uses the customer as delivered, so that merges cannot clash.

    ``redemption_id`` is made by the till or tablet that redeems, so that sending twice redeems once.
    """

    __tablename__ = "coupon_grants"
    __table_args__ = (Index(None, "customer_id"),)

    coupon_id: Mapped[str] = mapped_column(primary_key=True)
    customer_ref: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    granted_at: Mapped[datetime] = mapped_column(Instant)
    channel: Mapped[str | None]
    redeemed_at: Mapped[datetime | None] = mapped_column(Instant)
    redeemed_channel: Mapped[str | None]
    redemption_id: Mapped[str | None]
    redeemed_store_id: Mapped[str | None]
    redeemed_by: Mapped[str | None]
