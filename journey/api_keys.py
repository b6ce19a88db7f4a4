"""Keys of machines: tills, web shops, counters, back ends of tablets. Shown once, kept as a hash, limited by scopes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.accounts import ApiKey
from journey.audit import record_act
from journey.errors import InputError, NotFound
from journey.tokens import hashed, new_token

SCOPES = (
    "customers",
    "products",
    "suggestions",
    "outcomes",
    "events",
    "pos-lines",
    "checkins",
    "answers",
    "traffic",
    "stock",
    "orders",
    "coupons",
    "links",
)


def add_key(
    session: Session, *, name: str, now: datetime, scopes: Iterable[str] = (), actor: str = "command line"
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept. Without scopes it may do all that machines may.

    Raises:
        InputError: a scope that does not exist.
    """
    wanted = tuple(scopes) or SCOPES
    unknown = sorted(set(wanted) - set(SCOPES))
    if unknown:
        raise InputError(f"no scope {', '.join(unknown)}", where="scope", what_to_do=f"use some of {', '.join(SCOPES)}")
    secret = new_token("osu_")
    key = ApiKey(
        key_id=uuid.uuid4().hex[:12],
        name=name,
        key_hash=hashed(secret),
        scopes=" ".join(scope for scope in SCOPES if scope in wanted),
        created_at=now,
        revoked_at=None,
        last_used_at=None,
    )
    session.add(key)
    session.flush()
    record_act(
        session,
        at=now,
        actor=actor,
        action="key.added",
        subject_kind="key",
        subject_id=key.key_id,
        detail={"name": name, "scopes": key.scopes},
    )
    return key, secret


def revoke_key(session: Session, key_id: str, *, now: datetime, actor: str = "command line") -> None:
    """Shut a machine out at once.

    Raises:
        NotFound: no such key.
    """
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound(f"no key {key_id!r}", where="key_id", what_to_do="see: osusume key list")
    key.revoked_at = key.revoked_at or now
    record_act(session, at=now, actor=actor, action="key.revoked", subject_kind="key", subject_id=key_id)


def keys(session: Session) -> list[ApiKey]:
    """All keys, the newest first; secrets are not among what is known of them."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.key_id)))
