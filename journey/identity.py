"""One ID: cards, cookies, app and EC accounts, hashed e-mails and phones that lead to one customer.

Facts keep what was delivered (``customer_ref``, ``card_no``, ``visitor_id``) beside what it resolved to
(``customer_id``), so that links made later, merges and splits can be applied and taken back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant

KINDS = ("card", "app", "cookie", "ec_account", "email_hash", "phone_hash")


class Identity(Base):
    """An identifier that points to a customer; ``customer_ref`` as delivered, ``customer_id`` as resolved."""

    __tablename__ = "identities"
    __table_args__ = (Index(None, "customer_id"), Index(None, "value"))

    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    customer_ref: Mapped[str]
    customer_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(Instant)


class Merge(Base):
    """Two customers declared to be one person, with who said so and why; undone, never deleted."""

    __tablename__ = "merges"
    __table_args__ = (Index(None, "merged_id"), Index(None, "survivor_id"))

    merge_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    survivor_id: Mapped[str]
    merged_id: Mapped[str]
    merged_at: Mapped[datetime] = mapped_column(Instant)
    merged_by: Mapped[str]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_by: Mapped[str | None]
