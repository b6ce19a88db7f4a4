"""Tablets: enrolled by a code that is shown once, bound to one store, revoked at once."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.accounts import Device
from journey.audit import record_act
from journey.errors import NotAuthenticated, NotFound
from journey.stores import Store
from journey.tokens import hashed, new_code, new_token, plain_code

CODE_VALID = timedelta(minutes=30)


def add_device(
    session: Session,
    *,
    store_id: str,
    name: str,
    now: datetime,
    valid_for: timedelta = CODE_VALID,
    actor: str = "command line",
) -> tuple[Device, str]:
    """A tablet that is to be enrolled in a store, and the code to type on it until ``valid_for`` has passed.

    Raises:
        NotFound: no such store.
    """
    if session.get(Store, store_id) is None:
        raise NotFound(f"no store {store_id!r}", where="store_id", what_to_do="import the stores first")
    code = new_code()
    device = Device(
        device_id=uuid.uuid4().hex[:12],
        store_id=store_id,
        name=name,
        token_hash=None,
        enrol_code_hash=hashed(plain_code(code)),
        enrol_code_until=now + valid_for,
        enrolled_at=None,
        revoked_at=None,
        last_seen_at=None,
    )
    session.add(device)
    session.flush()
    record_act(
        session,
        at=now,
        actor=actor,
        action="device.added",
        subject_kind="device",
        subject_id=device.device_id,
        detail={"store_id": store_id, "name": name},
    )
    return device, code


def enrol(session: Session, typed_code: str, *, now: datetime) -> tuple[Device, str]:
    """Exchange a code for the tablet's own token; the code works once.

    Raises:
        NotAuthenticated: no such code, or its time has run out.
    """
    statement = select(Device).where(Device.enrol_code_hash == hashed(plain_code(typed_code))).with_for_update()
    device = session.scalar(statement)
    if device is None or device.enrol_code_until is None or device.enrol_code_until < now or device.revoked_at:
        raise NotAuthenticated(
            "this enrolment code is unknown, used or too old",
            where="code",
            what_to_do="ask for a new code (osusume device enrol)",
            problem="enrolment-code",
        )
    token = new_token()
    device.token_hash, device.enrol_code_hash, device.enrol_code_until = hashed(token), None, None
    device.enrolled_at = device.last_seen_at = now
    record_act(
        session,
        at=now,
        actor=f"device:{device.device_id}",
        action="device.enrolled",
        subject_kind="device",
        subject_id=device.device_id,
    )
    return device, token


def revoke_device(session: Session, device_id: str, *, now: datetime, actor: str = "command line") -> None:
    """Shut a lost tablet out at once.

    Raises:
        NotFound: no such tablet.
    """
    device = session.get(Device, device_id)
    if device is None:
        raise NotFound(f"no device {device_id!r}", where="device_id", what_to_do="see: osusume device list")
    device.revoked_at = device.revoked_at or now
    record_act(session, at=now, actor=actor, action="device.revoked", subject_kind="device", subject_id=device_id)


def devices(session: Session, *, store_id: str | None = None) -> list[Device]:
    """All tablets, of one store or of the chain."""
    statement = select(Device).order_by(Device.store_id, Device.name, Device.device_id)
    return list(session.scalars(statement if store_id is None else statement.where(Device.store_id == store_id)))
