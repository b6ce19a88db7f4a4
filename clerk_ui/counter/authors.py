"""Whose act it is, and when it was done, where both may differ from who is signed in and when it arrives.

The author of a tap, a note or a dismissal is the clerk named in it: it may have waited for a network while the tablet
changed hands. A tablet may send acts of clerks who were signed in on it at some time, and, while somebody is signed
in, of any clerk of its store (a colleague whose PIN only the tablet itself could check). Machines name any clerk.
"""

from __future__ import annotations

from datetime import datetime

from flask import request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from clerk_ui.auth.callers import Caller
from clerk_ui.field_types import Moment
from journey.errors import InputError, NotAllowed, NotAuthenticated, NotFound
from journey.sign_ins import has_worked_on
from journey.stores import Clerk

CLOCK_HEADER = "X-Osusume-Clock"


def author(session: Session, caller: Caller, named: str | None) -> Clerk:
    """The clerk whose act it is: the one named, else the one signed in.

    Raises:
        NotAuthenticated: none is named and nobody is signed in.
        InputError: a machine names none, or the person signed in is no clerk of the record.
        NotFound: no such clerk.
        NotAllowed: the clerk never was on this tablet.
    """
    clerk_id = named or (caller.person.clerk_id if caller.person else None)
    if clerk_id is None:
        if caller.person is None and caller.machine is None:
            raise NotAuthenticated(
                "nobody is signed in on this tablet",
                where="clerk_id",
                what_to_do="sign in, or name the clerk whose act it is",
                problem="signed-out",
            )
        raise InputError("no clerk is named", where="clerk_id", what_to_do="name the clerk whose act it is")
    clerk = session.get(Clerk, clerk_id)
    if clerk is None:
        raise NotFound(f"no clerk {clerk_id!r}", where="clerk_id", what_to_do="send the id of a clerk of the record")
    if caller.tablet is None or has_worked_on(session, clerk_id, caller.tablet.device_id):
        return clerk
    if caller.person is not None and clerk.store_id == caller.tablet.store_id:
        return clerk
    raise NotAllowed(
        "this clerk never signed in on this tablet",
        where="clerk_id",
        what_to_do="sign in on it once, then send it again",
        problem="unknown-author",
    )


def sender_clock() -> datetime | None:
    """What the sender's own clock shows while it sends, where it tells.

    Raises:
        InputError: the header is no time.
    """
    shown = request.headers.get(CLOCK_HEADER)
    if shown is None:
        return None
    try:
        moment: datetime = TypeAdapter(Moment).validate_python(shown)
    except ValidationError as error:
        raise InputError(
            "is no ISO 8601 time with an offset", where=CLOCK_HEADER, what_to_do="send what the clock shows"
        ) from error
    return moment
