"""The sign-in form of managers and the CoE, by password."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request

from clerk_ui.auth.callers import SESSION_COOKIE, caller
from clerk_ui.auth.cookies import forget_session, keep_session
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.auth.sessions import end_session, lifetime
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.languages import t
from clerk_ui.metrics import SIGN_INS
from clerk_ui.security import require_form_token
from journey.errors import NotAuthenticated, TooMany
from journey.sign_ins import close_session, open_session, reserve_attempt, verify

blueprint = APIBlueprint("sign_in", "clerk_ui.auth", enable_openapi=False)
PASSWORDS = RateLimit(20, 60)
HOMES = {"manager": "/store/today", "clerk": "/counter/", "head": "/coe/actions", "coe": "/coe/", "admin": "/coe/"}


@blueprint.get("/sign-in")
def form() -> str:
    """The form."""
    return _page("")


@blueprint.post("/sign-in")
def sign_in() -> Any:
    """Check the password and begin a new session; one that the browser had before ends."""
    require_form_token()
    account_id, password = request.form.get("account_id", "").strip()[:64], request.form.get("password", "")[:200]
    try:
        limit_attempts(PASSWORDS)
        with writing() as session:
            account = reserve_attempt(session, account_id, now=request_time()) if "\x00" not in account_id else None
        verify(account, password, method="password")
    except NotAuthenticated:
        SIGN_INS.labels("password", "no").inc()
        return _page(t("sign_in.wrong"), account_id), 401
    except TooMany as error:
        SIGN_INS.labels("password", "no").inc()
        wait = int(error.facts["retry_after"])
        locked = error.facts.get("problem") == "locked-out"
        message = t("sign_in.locked", minutes=-(-wait // 60)) if locked else t("sign_in.slow_down")
        return _page(message, account_id), 429, {"Retry-After": str(wait)}
    assert account is not None
    SIGN_INS.labels("password", "yes").inc()
    with writing() as session:
        if SESSION_COOKIE in request.cookies:
            close_session(session, request.cookies[SESSION_COOKIE], now=request_time())
        token = open_session(
            session,
            account.account_id,
            epoch=account.session_epoch,
            device_id=None,
            method="password",
            now=request_time(),
            lifetime=lifetime(),
        )
    response = make_response(redirect(_local(request.form.get("next", "")) or HOMES[account.role], 303))
    keep_session(response, token, lifetime())
    return response


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session."""
    require_form_token()
    end_session()
    response = make_response(redirect("/sign-in", 303))
    forget_session(response)
    return response


def _page(message: str, account_id: str = "") -> str:
    try:
        person = caller().person
    except NotAuthenticated:  # a revoked tablet may still be a manager's browser
        person = None
    destination = _local(request.values.get("next", ""))
    return render_template("sign_in.html", message=message, account_id=account_id, next=destination, person=person)


def _local(destination: str) -> str:
    """The destination if it is a path of ours, else nothing: no open redirect."""
    plain = destination.startswith("/") and not destination.startswith(("//", "/\\"))
    return destination if plain and destination.isprintable() and "\\" not in destination else ""
