"""ID-POS: one row per product on a receipt."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant, Money

BY_CARD = text("card_no IS NOT NULL")


class PosLine(Base):
    """One product on one receipt; a negative ``quantity`` is a return.

    ``customer_ref`` and ``card_no`` are as delivered, ``customer_id`` is the One ID they resolve to.
    ``local_day`` counts days since 1970-01-01 on the store's own calendar: a basket for models is a customer's day.
    """

    __tablename__ = "pos_lines"
    __table_args__ = (
        Index(None, "customer_id", "sold_at"),
        Index(None, "store_id", "sold_at"),
        # what a card that is linked later can still move
        Index("ix_pos_lines_card_no", "card_no", sqlite_where=BY_CARD, postgresql_where=BY_CARD),
    )

    receipt_id: Mapped[str] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    sold_at: Mapped[datetime] = mapped_column(Instant)
    local_day: Mapped[int]
    channel: Mapped[str | None]
    customer_id: Mapped[str | None]
    customer_ref: Mapped[str | None]
    card_no: Mapped[str | None]
    product_id: Mapped[str]
    quantity: Mapped[float]
    amount: Mapped[Decimal] = mapped_column(Money)
    discount: Mapped[Decimal | None] = mapped_column(Money)
    coupon_id: Mapped[str | None]
    clerk_id: Mapped[str | None]
