"""Signing in by PIN or password, lock-out, and the sessions that follow.

An attempt is counted before the secret is looked at and forgiven when it was right. Whoever tries many PINs at the
same moment therefore has no more attempts than one who tries them in a row, and no lock is held while argon2 works.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from journey.accounts import HASHER, Account, PersonSession
from journey.audit import record_act
from journey.database import Instant
from journey.errors import NotAuthenticated, TooMany
from journey.tokens import hashed, new_token

ATTEMPTS = 5
FIRST_LOCK = timedelta(minutes=5)
LONGEST_LOCK = timedelta(hours=24)
# verified against when there is no such account, so that the answer takes as long as with one
NOBODY = HASHER.hash("nobody has this password")


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    account_id: str
    name: str
    role: str
    clerk_id: str | None
    store_id: str | None
    language: str | None
    device_id: str | None
    method: str
    signed_in_at: datetime


def reserve_attempt(session: Session, account_id: str, *, now: datetime) -> Account | None:
    """Count an attempt at an account before its secret is checked; None where there is no such account.

    The caller commits before it verifies. The fifth attempt locks the account for five minutes unless it turns out
    to be right; each further five double that, up to a day.

    Raises:
        TooMany: the account is locked; ``retry_after`` tells the seconds.
    """
    account = session.scalar(select(Account).where(Account.account_id == account_id).with_for_update())
    if account is None:
        return None
    if account.locked_until is not None and account.locked_until > now:
        raise TooMany(
            "too many wrong attempts",
            where="account_id",
            what_to_do="wait, or ask a manager for a new PIN",
            problem="locked-out",
            retry_after=max(1, round((account.locked_until - now).total_seconds())),
        )
    account.failed_attempts += 1
    if account.failed_attempts % ATTEMPTS == 0:
        account.locked_until = now + lock_length(account.failed_attempts)
    session.flush()
    return account


def lock_length(failed_attempts: int) -> timedelta:
    """How long the account is locked after so many failures: 5, 10, 20, 40 … minutes, at most a day."""
    doublings = min(failed_attempts // ATTEMPTS - 1, 16)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def verify(account: Account | None, secret: str, *, method: str) -> None:
    """Check a PIN or password; takes as long where the account or the secret is missing.

    Raises:
        NotAuthenticated: wrong, with one wording for every cause.
    """
    stored = None
    if account is not None and account.disabled_at is None:
        stored = account.pin_hash if method == "pin" else account.password_hash
    try:
        HASHER.verify(stored or NOBODY, secret)
        right = stored is not None
    except (VerificationError, InvalidHashError):
        right = False
    if not right:
        raise NotAuthenticated(
            f"the name or the {'PIN' if method == 'pin' else 'password'} is wrong",
            where=method,
            what_to_do="try again",
            problem="wrong-secret",
        )


def open_session(
    session: Session,
    account_id: str,
    *,
    epoch: int,
    device_id: str | None,
    method: str,
    now: datetime,
    lifetime: timedelta,
) -> str:
    """Begin a session after :func:`verify` and return its token; forgives the counted attempts.

    On a tablet the person before is signed out: one person at a time.
    """
    session.execute(
        update(Account).where(Account.account_id == account_id).values(failed_attempts=0, locked_until=None)
    )
    if device_id is not None:
        session.execute(
            update(PersonSession)
            .where(PersonSession.device_id == device_id, PersonSession.ended_at.is_(None))
            .values(ended_at=now)
        )
    token = new_token()
    clerk_id = session.scalar(select(Account.clerk_id).where(Account.account_id == account_id))
    session.add(
        PersonSession(
            token_hash=hashed(token),
            account_id=account_id,
            clerk_id=clerk_id,
            device_id=device_id,
            method=method,
            epoch=epoch,
            signed_in_at=now,
            expires_at=now + lifetime,
            ended_at=None,
        )
    )
    session.flush()
    record_act(
        session,
        at=now,
        actor=f"account:{account_id}",
        action="session.opened",
        subject_kind="account",
        subject_id=account_id,
        detail={"device_id": device_id, "method": method},
    )
    return token


def close_session(session: Session, token: str, *, now: datetime) -> None:
    """End a session; an unknown one is ended already."""
    session.execute(
        update(PersonSession)
        .where(PersonSession.token_hash == hashed(token), PersonSession.ended_at.is_(None))
        .values(ended_at=now)
    )


# built once: a session is looked up with every request of every tablet
PRESENT = (
    select(
        Account.account_id,
        Account.name,
        Account.role,
        Account.clerk_id,
        Account.store_id,
        Account.language,
        PersonSession.device_id,
        PersonSession.method,
        PersonSession.signed_in_at,
    )
    .join(PersonSession, PersonSession.account_id == Account.account_id)
    .where(
        PersonSession.token_hash == bindparam("token_hash"),
        PersonSession.ended_at.is_(None),
        PersonSession.expires_at > bindparam("now", type_=Instant),
        PersonSession.epoch == Account.session_epoch,
        Account.disabled_at.is_(None),
    )
)


def present_person(session: Session, token: str, *, now: datetime) -> Person | None:
    """Who holds this session now; None after sign-out, its time, a new PIN or the account's end."""
    row = session.execute(PRESENT, {"token_hash": hashed(token), "now": now}).first()
    return None if row is None else Person(*row)


def has_worked_on(session: Session, clerk_id: str, device_id: str) -> bool:
    """Whether a clerk was ever signed in on a device."""
    statement = select(PersonSession.token_hash).where(
        PersonSession.device_id == device_id, PersonSession.clerk_id == clerk_id
    )
    return session.execute(statement.limit(1)).first() is not None
