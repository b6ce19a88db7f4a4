"""What protects every answer and every form: headers, the content policy with its nonce, and form tokens."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from flask import Flask, Request, Response, abort, current_app, g, request
from flask.sessions import SessionInterface

from clerk_ui.application_settings import settings
from clerk_ui.fixed_headers import FixedHeaders
from journey.errors import NotAllowed, NotFound

TABLET_HEADER = "X-Osusume-Tablet"
FORM_COOKIE = "osusume_form"
FORM_FIELD = "form_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    """Sign with the secret key, refuse odd paths, and put the headers on every answer."""
    with app.app_context():
        app.secret_key = settings().web.secret_key or kept_secret(settings().storage.home)
        always = [("Content-Security-Policy", content_policy()), *HEADERS]
        if secure_cookies():
            always.append(OVER_HTTPS)
    app.wsgi_app = FixedHeaders(app.wsgi_app, always, NOT_KEPT, kept_paths=("/static/",))  # type: ignore[method-assign]
    app.session_interface = NoSession()
    app.before_request(_refuse_nul)
    app.after_request(_own_headers)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, form_token=form_token)


def kept_secret(home: Path) -> str:
    """The secret made once under the home folder, readable by its owner only; the same for all workers."""
    home.mkdir(parents=True, exist_ok=True)
    place = home / "secret_key"
    draft = home / f".secret_key.{secrets.token_hex(6)}"
    if not place.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, place)  # the first worker wins; a file half written is never seen
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return place.read_text()


def csp_nonce() -> str:
    """The nonce that lets this page's own inline script or style run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def picture_sources() -> str:
    """Where pictures may come from: ourselves and the hosts that the chain has named."""
    named = " ".join(f"https://{host}" for host in settings().web.image_hosts.split())
    return f"'self' data: blob: {named}".strip()


def secure_cookies() -> bool:
    """Whether cookies go over HTTPS only."""
    return settings().web.secure_cookies


def form_token() -> str:
    """The token for a form's hidden field; bound to a cookie that only this browser has."""
    g.form_cookie = request.cookies.get(FORM_COOKIE) or g.get("form_cookie") or secrets.token_urlsafe(16)
    return _signature(g.form_cookie)


def require_form_token() -> None:
    """Refuse a form that did not come from our own page.

    Raises:
        NotAllowed: the token is missing or not of this browser.
    """
    cookie, field = request.cookies.get(FORM_COOKIE, ""), request.form.get(FORM_FIELD, "")
    if not cookie or not hmac.compare_digest(_signature(cookie).encode(), field.encode()):
        raise NotAllowed(
            "this form is too old or not ours",
            where=FORM_FIELD,
            what_to_do="go back, reload and send it again",
            problem="form-token",
        )


def require_same_origin() -> None:
    """Refuse a cookie-authenticated change that a foreign page could have sent.

    A foreign page can neither add the header without a preflight, which we never grant, nor make the browser send
    our SameSite=Strict cookies.

    Raises:
        NotAllowed: the header is missing, or the browser says that another site asks.
    """
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    if request.method not in SAFE_METHODS and (foreign or not request.headers.get(TABLET_HEADER)):
        raise NotAllowed(
            f"changes from a tablet carry the header {TABLET_HEADER}",
            where=TABLET_HEADER,
            what_to_do="send it with every request",
            problem="cross-site",
        )


def current_key() -> str:
    """The secret key of this application."""
    key = current_app.secret_key
    assert isinstance(key, str)
    return key


def _signature(cookie: str) -> str:
    return hmac.new(current_key().encode(), b"form:" + cookie.encode(), hashlib.sha256).hexdigest()


def _refuse_nul() -> None:
    # PostgreSQL cannot store NUL, so no id or search term may hold one.
    if "\x00" in request.path:
        abort(404)
    if request.query_string and any("\x00" in value for value in request.args.values()):
        raise NotFound("nothing has a NUL character in it", where="query", what_to_do="leave it out")


def content_policy(nonce: str = "") -> str:
    """What a page may load; with a nonce also its own inline script or style."""
    inline = f" 'nonce-{nonce}'" if nonce else ""
    return (
        f"default-src 'self'; script-src 'self'{inline}; style-src 'self'{inline}; img-src {picture_sources()}; "
        "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()"),
)
NOT_KEPT = ("Cache-Control", "no-store")
OVER_HTTPS = ("Strict-Transport-Security", "max-age=31536000")


def _own_headers(response: Response) -> Response:
    """What differs from page to page: the policy with the page's nonce, and the cookie of its forms."""
    if "csp_nonce" in g and "Content-Security-Policy" not in response.headers:
        response.headers["Content-Security-Policy"] = content_policy(g.csp_nonce)
    if "form_cookie" in g and request.cookies.get(FORM_COOKIE) != g.form_cookie:
        response.set_cookie(FORM_COOKIE, g.form_cookie, httponly=True, samesite="Strict", secure=secure_cookies())
    return response


class NoSession(SessionInterface):
    """Flask's own session is not used (ours is in the database), so no cookie is read or signed for it."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Nothing to open."""
