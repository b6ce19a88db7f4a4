"""Which store and which clerk a request is about; unknown ones are named, known ones are remembered."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from sqlalchemy import ColumnElement, select

from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import acting_store
from clerk_ui.database_sessions import reading
from clerk_ui.fading_memory import FadingMemory
from journey.errors import InputError, NotFound
from journey.stores import Clerk, Store

KEY = "osusume.places"
STORE_ID: ColumnElement[Any] = Store.__table__.c.store_id
CLERK_ID: ColumnElement[Any] = Clerk.__table__.c.clerk_id


def init_app(app: Flask) -> None:
    """Remember stores and clerks for ten minutes: they come and go with days, not with requests."""
    app.extensions[KEY] = FadingMemory[tuple[str, str], bool](seconds=600)


def place(caller: Caller, store_id: str | None, clerk_id: str | None) -> tuple[str, str | None]:
    """The store and the clerk of a request: a tablet's own by default, for machines those that they name.

    Raises:
        InputError: a machine names no store.
        NotFound: no such store or clerk.
        NotAllowed: a tablet names another store.
    """
    store_id = acting_store(caller, store_id)
    if store_id is None:
        raise InputError("no store is named", where="json.store_id", what_to_do="name the store of the customer")
    if caller.tablet is None:
        _require(STORE_ID, store_id, "store")
    own = caller.person.clerk_id if caller.person else None
    if clerk_id is not None and clerk_id != own:
        _require(CLERK_ID, clerk_id, "clerk")
    return store_id, clerk_id or own


def _require(column: ColumnElement[Any], wanted: str, what: str) -> None:
    memory: FadingMemory[tuple[str, str], bool] = current_app.extensions[KEY]
    if memory.get((what, wanted)):
        return
    if reading().execute(select(column).where(column == wanted)).first() is None:
        raise NotFound(f"no {what} {wanted!r}", where=f"{what}_id", what_to_do=f"send the id of a {what} of the record")
    memory.put((what, wanted), True)
