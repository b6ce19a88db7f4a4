"""What is sent and answered around enrolment and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from clerk_ui.field_types import Body, Document, Id, Line


class Enrolment(Body):
    """The code that a manager was given for this tablet."""

    code: Line


class PinSignIn(Body):
    """A person and their PIN."""

    account_id: Id
    pin: str = Field(min_length=4, max_length=6, pattern=r"^[0-9]+$")


class LanguageChoice(Body):
    """The language in which the signed-in person reads the screens."""

    language: Literal["ja", "en"]


class DeviceDocument(Document):
    """The tablet."""

    device_id: str
    name: str


class StoreDocument(Document):
    """The store that the tablet stays in."""

    store_id: str
    name: str
    timezone: str


class PersonDocument(Document):
    """A person who may sign in on this tablet. ``initials`` are up to two characters for a round badge."""

    account_id: str
    clerk_id: str | None
    name: str
    role: str
    initials: str
    language: str | None = None


class PeopleDocument(Document):
    """The people of the tablet's store."""

    people: list[PersonDocument]


class ChainDocument(Document):
    """The retail chain."""

    name: str
    timezone: str
    currency: str


class SessionDocument(Document):
    """Which tablet this is, in which store, and who is on it."""

    device: DeviceDocument | None
    store: StoreDocument | None
    person: PersonDocument | None
    language: str
    idle_lock_seconds: int
    server_time: datetime
    chain: ChainDocument
