"""Who is asking: found once per request from the key, or from the cookies of a tablet or browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, current_app, g, request
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.fading_memory import FadingMemory
from journey.accounts import ApiKey, Device
from journey.errors import NotAuthenticated
from journey.sign_ins import Person, present_person
from journey.tokens import hashed

DEVICE_COOKIE = "osusume_device"
SESSION_COOKIE = "osusume_session"
SEEN_EVERY = timedelta(hours=1)
KEYS = "osusume.keys"
KEY_REMEMBERED = 2.0  # seconds: a revoked key works no longer than this

# built once: looked up with every request of every tablet
DEVICE = select(Device.device_id, Device.store_id, Device.name, Device.revoked_at, Device.last_seen_at).where(
    Device.token_hash == bindparam("token_hash")
)


def init_app(app: Flask) -> None:
    """Remember machines' keys for a second or two: a till that sends all day is not looked up with every line."""
    app.extensions[KEYS] = FadingMemory[str, Machine](seconds=KEY_REMEMBERED)


@dataclass(frozen=True)
class Tablet:
    """The enrolled device that asks."""

    device_id: str
    store_id: str
    name: str


@dataclass(frozen=True)
class Machine:
    """The key that asks."""

    key_id: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Caller:
    """All that is known of who asks; nothing is set for a stranger."""

    tablet: Tablet | None = None
    person: Person | None = None
    machine: Machine | None = None

    @property
    def actor(self) -> str:
        """The name under which the audit log keeps what this caller does."""
        if self.machine:
            return f"key:{self.machine.key_id}"
        if self.person:
            return f"account:{self.person.account_id}"
        return f"device:{self.tablet.device_id}" if self.tablet else "nobody"

    @property
    def kind(self) -> str:
        """The kind of caller, which may be logged."""
        if self.machine:
            return "machine"
        if self.person:
            return self.person.role
        return "tablet" if self.tablet else "nobody"


def caller() -> Caller:
    """Who is asking.

    Raises:
        NotAuthenticated: a key or a tablet that is unknown or was revoked.
    """
    if "caller" not in g:
        g.caller = _machine_caller() if "Authorization" in request.headers else _cookie_caller()
        g.actor_kind = g.caller.kind
    found: Caller = g.caller
    return found


def _machine_caller() -> Caller:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    key_hash = hashed(secret.strip())
    known: FadingMemory[str, Machine] = current_app.extensions[KEYS]
    machine = known.get(key_hash) if scheme.lower() == "bearer" else None
    if machine is None:
        machine = _machine(key_hash) if scheme.lower() == "bearer" else None
        if machine is None:
            raise NotAuthenticated(
                "this key is unknown or was revoked",
                where="Authorization",
                what_to_do="send Authorization: Bearer KEY with a key from: osusume key add",
                problem="key",
            )
        known.put(key_hash, machine)
    return Caller(machine=machine)


def _machine(key_hash: str) -> Machine | None:
    row = (
        reading()
        .execute(
            select(ApiKey.key_id, ApiKey.name, ApiKey.scopes, ApiKey.last_used_at).where(
                ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None)
            )
        )
        .first()
    )
    if row is None:
        return None
    if _long_ago(row.last_used_at):
        with writing() as session:
            session.execute(update(ApiKey).where(ApiKey.key_id == row.key_id).values(last_used_at=request_time()))
    return Machine(row.key_id, row.name, frozenset(row.scopes.split()))


def _cookie_caller() -> Caller:
    device_token, session_token = request.cookies.get(DEVICE_COOKIE), request.cookies.get(SESSION_COOKIE)
    if not device_token and not session_token:
        return Caller()
    session = reading()
    person = present_person(session, session_token, now=request_time()) if session_token else None
    try:
        tablet = _tablet(session, device_token) if device_token else None
    except NotAuthenticated:
        # Who signed in by password needs no tablet: a manager's browser may once have been one.
        if person is None or person.device_id is not None:
            raise
        tablet = None
    if person is not None and person.device_id is not None:
        # A tablet's session is worth nothing elsewhere, nor after the person has moved to another store.
        belongs = tablet is not None and person.device_id == tablet.device_id and person.store_id == tablet.store_id
        person = person if belongs else None
    return Caller(tablet=tablet, person=person)


def _tablet(session: Session, token: str) -> Tablet:
    row = session.execute(DEVICE, {"token_hash": hashed(token)}).first()
    if row is None or row.revoked_at is not None:
        raise NotAuthenticated(
            "this tablet was revoked" if row else "this tablet is not enrolled",
            where=DEVICE_COOKIE,
            what_to_do="enrol it again with a new code",
            problem="device-revoked" if row else "device-unknown",
        )
    if _long_ago(row.last_seen_at):
        with writing() as writer:
            writer.execute(update(Device).where(Device.device_id == row.device_id).values(last_seen_at=request_time()))
    return Tablet(row.device_id, row.store_id, row.name)


def _long_ago(moment: datetime | None) -> bool:
    return moment is None or request_time() - moment > SEEN_EVERY
