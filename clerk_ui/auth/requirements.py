"""What a route requires of its caller, as decorators that stand beside the route."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import redirect, request, url_for

from clerk_ui.auth.callers import Caller, caller
from clerk_ui.security import require_same_origin
from journey.errors import NotAllowed, NotAuthenticated

View = TypeVar("View", bound=Callable[..., Any])


def requires(scope: str | None = None, *, person: bool = True) -> Callable[[View], View]:
    """An API route for an enrolled tablet (with a person signed in, unless ``person`` is False) and for machines
    whose key has the scope (None: not for machines). The view gets ``caller`` as its first argument.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            return view(allowed_caller(scope, person=person), *args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate


def allowed_caller(scope: str | None, *, person: bool) -> Caller:
    """The caller, if it may.

    Raises:
        NotAuthenticated: neither a key nor an enrolled tablet, or nobody is signed in on it.
        NotAllowed: the key lacks the scope, or the request could come from a foreign page.
    """
    found = caller()
    if found.machine is not None:
        if scope is None or scope not in found.machine.scopes:
            raise NotAllowed(
                "this key may not do this",
                where="Authorization",
                what_to_do=f"use a key with the scope {scope}" if scope else "this is for tablets only",
                problem="scope",
                scope=scope,
            )
        return found
    if found.tablet is None:
        raise NotAuthenticated(
            "neither a key nor an enrolled tablet",
            where="Authorization",
            what_to_do="enrol the tablet, or send Authorization: Bearer KEY",
            problem="device-unknown",
        )
    require_same_origin()
    # a manager's session by password in the same browser is no PIN typed on this tablet
    if person and (found.person is None or found.person.device_id is None):
        raise NotAuthenticated(
            "nobody is signed in on this tablet",
            where="session",
            what_to_do="choose your name and type your PIN",
            problem="signed-out",
        )
    return found


def require_role(*roles: str) -> Callable[[View], View]:
    """A page for people of these roles; a stranger is sent to the sign-in form. Admins may all."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                person = caller().person
            except NotAuthenticated:  # a revoked tablet: its browser may still be signed in to as a manager
                person = None
            if person is None:
                return redirect(url_for("sign_in.form", next=request.full_path.rstrip("?")))
            if person.role not in {*roles, "admin"}:
                raise NotAllowed(
                    f"this page is for {', '.join(roles)}", where=person.role, what_to_do="sign in as someone else"
                )
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate


def require_store(store_id: str) -> None:
    """Refuse a store that is not this person's own. The CoE and admins see all stores.

    Raises:
        NotAuthenticated: nobody is signed in.
        NotAllowed: another store's manager or clerk.
    """
    person = caller().person
    if person is None:
        raise NotAuthenticated("nobody is signed in", where="session", what_to_do="sign in", problem="signed-out")
    if person.role not in {"coe", "admin"} and person.store_id != store_id:
        raise NotAllowed(
            "this is another store's", where="store_id", what_to_do="open your own store", problem="other-store"
        )


def acting_store(found: Caller, named: str | None) -> str | None:
    """The store of a request: a tablet's own; for machines the one they name.

    Raises:
        NotAllowed: a tablet names another store.
    """
    if found.tablet is None:
        return named
    if named is not None and named != found.tablet.store_id:
        raise NotAllowed(
            "this tablet belongs to another store",
            where="store_id",
            what_to_do="leave store_id out",
            problem="other-store",
        )
    return found.tablet.store_id
