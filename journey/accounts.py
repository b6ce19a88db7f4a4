"""People who sign in, the tablets they share, and the keys of machines."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant

ROLES = ("clerk", "manager", "coe", "admin")


class Account(Base):
    """A person who signs in: clerks and managers by PIN on an enrolled tablet, others by password."""

    __tablename__ = "accounts"
    __table_args__ = (Index(None, "store_id"),)

    account_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    clerk_id: Mapped[str | None] = mapped_column(unique=True)
    store_id: Mapped[str | None]
    pin_hash: Mapped[str | None]
    password_hash: Mapped[str | None]
    language: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    session_epoch: Mapped[int] = mapped_column(default=0)


class Device(Base):
    """A tablet bound to a store; only the hash of its token is kept."""

    __tablename__ = "devices"

    device_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    name: Mapped[str]
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    enrol_code_hash: Mapped[str | None] = mapped_column(unique=True)
    enrol_code_until: Mapped[datetime | None] = mapped_column(Instant)
    enrolled_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_seen_at: Mapped[datetime | None] = mapped_column(Instant)


class ApiKey(Base):
    """A machine's key; only its hash is kept. ``scopes`` are joined by spaces."""

    __tablename__ = "api_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)


class PersonSession(Base):
    """A person's presence on a tablet or in a browser; only the hash of its token is kept.

    Kept after its end: it is the proof that a clerk worked on a device, which lets outcomes that waited there
    for a network be sent under the right name. ``epoch`` must equal the account's for the session to hold.
    """

    __tablename__ = "person_sessions"
    __table_args__ = (Index(None, "device_id", "clerk_id"), Index(None, "account_id"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    clerk_id: Mapped[str | None]
    device_id: Mapped[str | None]
    method: Mapped[str]
    epoch: Mapped[int]
    signed_in_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
