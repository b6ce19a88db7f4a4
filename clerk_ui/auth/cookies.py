"""The two cookies we set: which tablet this is, and who is on it."""

from __future__ import annotations

from datetime import timedelta

from flask import Response

from clerk_ui.auth.callers import DEVICE_COOKIE, SESSION_COOKIE
from clerk_ui.security import secure_cookies

DEVICE_DAYS = timedelta(days=400)  # the longest that browsers keep a cookie; renewed whenever the tablet says hello


def keep_device(response: Response, token: str) -> None:
    """Remember the tablet."""
    _set(response, DEVICE_COOKIE, token, DEVICE_DAYS)


def keep_session(response: Response, token: str, lifetime: timedelta) -> None:
    """Remember the person."""
    _set(response, SESSION_COOKIE, token, lifetime)


def forget_session(response: Response) -> None:
    """Forget the person."""
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict", secure=secure_cookies())


def _set(response: Response, name: str, value: str, lifetime: timedelta) -> None:
    response.set_cookie(
        name, value, max_age=lifetime, httponly=True, samesite="Strict", secure=secure_cookies(), path="/"
    )
