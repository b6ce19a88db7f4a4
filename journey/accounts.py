"""People who sign in, the tablets they share, and the keys of machines: their tables, and the people's book.

Tablets are handled in :mod:`journey.devices`, keys in :mod:`journey.api_keys`, signing in in :mod:`journey.sign_ins`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime

from argon2 import PasswordHasher
from sqlalchemy import Index, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.audit import record_act
from journey.database import Base, Instant
from journey.errors import Conflict, InputError, NotFound
from journey.stores import Clerk, Store, add_clerk

ROLES = ("clerk", "manager", "head", "coe", "admin")
"""head: of a business unit; sees the unit's actions."""
IN_A_STORE = ("clerk", "manager")
LANGUAGES = ("ja", "en")
PASSWORD_LENGTH = 8
# OWASP's minimum for argon2id: 19 MiB, two passes; a sign-in takes some 20 ms on one core of a small server
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


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


def add_account(
    session: Session,
    *,
    name: str,
    role: str,
    now: datetime,
    account_id: str | None = None,
    clerk_id: str | None = None,
    store_id: str | None = None,
    pin: str | None = None,
    password: str | None = None,
    language: str | None = None,
    actor: str = "command line",
) -> Account:
    """Add a person. Who works in a store needs a store; it is taken from the clerk's row where only that is named.

    ``account_id`` is what a person types to sign in by password; it defaults to the clerk's id, else to the name.

    Raises:
        InputError: a role, PIN, password or language that cannot be, or a clerk without a store.
        NotFound: no such clerk or store.
        Conflict: the account, or an account of that clerk, is there already.
    """
    if role not in ROLES:
        raise InputError(f"{role!r} is no role", where="role", what_to_do=f"use one of {', '.join(ROLES)}")
    if language is not None and language not in LANGUAGES:
        raise InputError(f"no texts in {language!r}", where="language", what_to_do=f"use {' or '.join(LANGUAGES)}")
    if clerk_id is not None:
        clerk = session.get(Clerk, clerk_id)
        if clerk is None:
            raise NotFound(f"no clerk {clerk_id!r}", where="clerk_id", what_to_do="import the clerks first")
        store_id = store_id or clerk.store_id
    if store_id is not None and session.get(Store, store_id) is None:
        raise NotFound(f"no store {store_id!r}", where="store_id", what_to_do="import the stores first")
    if role in IN_A_STORE and store_id is None:
        raise InputError(f"a {role} works in a store", where="store_id", what_to_do="name a store or a clerk id")
    account_id = account_id or clerk_id or name
    if session.get(Account, account_id) is not None:
        raise Conflict(f"account {account_id!r} is there already", where="account_id", what_to_do="choose another id")
    if clerk_id is not None and session.scalar(select(Account).where(Account.clerk_id == clerk_id)) is not None:
        raise Conflict(f"clerk {clerk_id!r} has an account already", where="clerk_id", what_to_do="change that one")
    account = Account(
        account_id=account_id,
        name=name,
        role=role,
        clerk_id=clerk_id,
        store_id=store_id,
        language=language,
        pin_hash=None if pin is None else pin_hash(pin),
        password_hash=None if password is None else password_hash(password),
        created_at=now,
        disabled_at=None,
        locked_until=None,
    )
    session.add(account)
    session.flush()
    record_act(session, at=now, actor=actor, action="account.added", subject_kind="account", subject_id=account_id)
    return account


def pin_hash(pin: str) -> str:
    """The argon2id hash of a PIN.

    Raises:
        InputError: not 4 to 6 digits.
    """
    if not re.fullmatch(r"[0-9]{4,6}", pin):
        raise InputError("a PIN has 4 to 6 digits", where="pin", what_to_do="choose another")
    return HASHER.hash(pin)


def password_hash(password: str) -> str:
    """The argon2id hash of a password.

    Raises:
        InputError: too short, or long enough to keep a core busy.
    """
    if not PASSWORD_LENGTH <= len(password) <= 200:
        raise InputError(
            f"a password has {PASSWORD_LENGTH} to 200 characters", where="password", what_to_do="choose another"
        )
    return HASHER.hash(password)


def find_account(session: Session, account_id: str) -> Account:
    """The account of that id.

    Raises:
        NotFound: there is none.
    """
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(f"no account {account_id!r}", where="account_id", what_to_do="see: osusume user list")
    return account


def set_pin(session: Session, account_id: str, pin: str, *, now: datetime, actor: str = "command line") -> None:
    """Give a person a new PIN; lifts a lock-out and ends the person's sessions everywhere."""
    account = find_account(session, account_id)
    account.pin_hash = pin_hash(pin)
    _start_afresh(account)
    record_act(session, at=now, actor=actor, action="account.pin", subject_kind="account", subject_id=account_id)


def set_password(session: Session, account_id: str, password: str, *, now: datetime, actor: str) -> None:
    """Give a person a new password; lifts a lock-out and ends the person's sessions everywhere."""
    account = find_account(session, account_id)
    account.password_hash = password_hash(password)
    _start_afresh(account)
    record_act(session, at=now, actor=actor, action="account.password", subject_kind="account", subject_id=account_id)


def set_language(session: Session, account_id: str, language: str) -> None:
    """The language in which a person reads the screens."""
    if language not in LANGUAGES:
        raise InputError(f"no texts in {language!r}", where="language", what_to_do=f"use {' or '.join(LANGUAGES)}")
    find_account(session, account_id).language = language


def disable_account(session: Session, account_id: str, *, now: datetime, actor: str = "command line") -> None:
    """Shut a person out at once, on every tablet; what they recorded stays theirs."""
    account = find_account(session, account_id)
    account.disabled_at = account.disabled_at or now
    account.session_epoch += 1
    record_act(session, at=now, actor=actor, action="account.disabled", subject_kind="account", subject_id=account_id)


def accounts(session: Session, *, store_id: str | None = None, enabled_only: bool = False) -> list[Account]:
    """People by name, of one store or of the chain."""
    statement = select(Account).order_by(Account.name, Account.account_id)
    if store_id is not None:
        statement = statement.where(Account.store_id == store_id)
    if enabled_only:
        statement = statement.where(Account.disabled_at.is_(None))
    return list(session.scalars(statement))


def account_names(session: Session, account_ids: Collection[str]) -> dict[str, str]:
    """Account id → name, of those that exist."""
    rows = session.execute(select(Account.account_id, Account.name).where(Account.account_id.in_(account_ids)))
    return {row.account_id: row.name for row in rows}


def _start_afresh(account: Account) -> None:
    account.failed_attempts, account.locked_until = 0, None
    account.session_epoch += 1


def clerks_without_account(session: Session, *, today: date, store_id: str | None = None) -> list[Clerk]:
    """Clerks who work there today and cannot sign in yet, by store; a chain without any gets one in each store."""
    if session.scalar(select(Clerk.clerk_id).limit(1)) is None:
        for empty in session.scalars(select(Store.store_id)).all():
            add_clerk(session, f"{empty}-1", store_id=empty, name="スタッフ", role="clerk")
    statement = (
        select(Clerk)
        .where((Clerk.left_on.is_(None)) | (Clerk.left_on > today))
        .where(~exists().where(Account.clerk_id == Clerk.clerk_id))
        .order_by(Clerk.store_id, Clerk.clerk_id)
    )
    return list(session.scalars(statement if store_id is None else statement.where(Clerk.store_id == store_id)))
