"""Which store a page is about: a manager's own, or the one that somebody who sees all stores asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from flask import request

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import signed_in
from journey.audit import record_act
from journey.local_days import zone
from journey.stores import Store, stores


@dataclass(frozen=True)
class AskedStore:
    """The store of this request, the stores to choose from, and the day it is there."""

    store: Store
    choice: list[Store]
    tz: ZoneInfo
    today: date


def asked_store() -> AskedStore:
    """The store that this request asks for; a manager's own, else the first.

    Raises:
        NotAllowed: another store than a manager's own.
    """
    everywhere = stores(reading())
    person = signed_in()
    wanted = request.values.get("store") or person.store_id or (everywhere[0].store_id if everywhere else "")
    require_store(wanted)
    store = next((each for each in everywhere if each.store_id == wanted), None)
    tz = zone(store.timezone if store else None, settings().chain.timezone)
    return AskedStore(
        store or Store(store_id=wanted, name=wanted),
        everywhere if person.store_id is None else [each for each in everywhere if each.store_id == wanted],
        tz,
        request_time().astimezone(tz).date(),
    )


def audit(action: str, store_id: str) -> None:
    """Note in the audit log that this person saw or took away a store's figures."""
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action, subject_kind="store",
            subject_id=store_id,
        )  # fmt: skip
