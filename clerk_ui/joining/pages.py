"""The customer's side of becoming a member, on their own phone: a form of four questions, then their card.

The address holds a secret that works once and for a quarter of an hour. The card is shown to the browser that filled
in the form only; a signed cookie remembers it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, make_response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from clerk_ui import recommendations
from clerk_ui.application_settings import settings
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.joining.drawn_codes import jan
from clerk_ui.languages import current_language, t
from clerk_ui.security import require_form_token, secure_cookies
from journey.customers import Customer
from journey.errors import NotFound
from journey.local_days import local_date, store_zone
from journey.member_invitations import MemberInvitation, NewMember, invited, join, note_opened
from journey.search import HIRAGANA
from journey.stores import Store

blueprint = APIBlueprint("joining", __name__, enable_openapi=False, url_prefix="/join")
LOOKS, TRIES = RateLimit(60, 60), RateLimit(10, 60)
CARD_COOKIE = "osusume_member"
LONGEST = 60
KANA = re.compile(r"[ァ-ヺー・A-Za-z.' ]+")
ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Typed:
    """The form as it was sent, and what is wrong with which field."""

    name: str = ""
    kana: str = ""
    profiling: str = ""
    contact: str = ""

    def troubles(self) -> dict[str, str]:
        """Field → the key of what to tell."""
        found = {}
        if not self.name:
            found["name"] = "joining.name.missing"
        if not self.kana and current_language() == "ja":
            found["kana"] = "joining.kana.missing"
        elif self.kana and not KANA.fullmatch(self.kana):
            found["kana"] = "joining.kana.odd"
        found |= {
            one: f"joining.{one}.missing" for one in ("profiling", "contact") if getattr(self, one) not in ANSWERS
        }
        return found

    def member(self) -> NewMember:
        """What is recorded."""
        return NewMember(self.name, self.kana, ANSWERS[self.profiling], ANSWERS[self.contact])


@blueprint.get("/<token>")
def form(token: str) -> Any:
    """The form; or, where the code was used or is over, what to do."""
    limit_attempts(LOOKS)
    found = invited(reading(), token)
    if found is None or found.state(request_time()) in ("joined", "expired"):
        return _closed(found.state(request_time()) if found else "unknown")
    store_id, invitation_id = found.store_id, found.invitation_id
    with writing() as session:
        note_opened(session, invitation_id, now=request_time())
    return _form(token, store_id, Typed(), {})


@blueprint.post("/<token>")
def send(token: str) -> Any:
    """Become a member; on to the card."""
    require_form_token()
    limit_attempts(TRIES)
    typed = Typed(
        name=_line("name"),
        kana=_line("kana").translate(HIRAGANA),
        profiling=request.form.get("profiling", ""),
        contact=request.form.get("contact", ""),
    )
    found = invited(reading(), token)
    if found is None or found.state(request_time()) in ("joined", "expired"):
        return _closed(found.state(request_time()) if found else "unknown")
    if troubles := typed.troubles():
        return _form(token, found.store_id, typed, troubles), 422
    today = local_date(request_time(), store_zone(reading(), found.store_id, settings().chain.timezone))
    store_id, invitation_id = found.store_id, found.invitation_id
    try:
        with writing() as session:
            code = join(
                session,
                token,
                typed.member(),
                code_prefix=settings().chain.member_prefix,
                joined_on=today,
                now=request_time(),
            ).customer_id
    except NotFound as error:  # another phone was faster, or the quarter of an hour has just ended
        return _closed(str(error.facts.get("state", "unknown")))
    recommendations.tell_arrival(reading(), store_id, code, at=request_time(), now=request_time())
    response = make_response(redirect(url_for("joining.card"), 303))
    response.set_cookie(
        CARD_COOKIE, _seal().dumps(invitation_id), max_age=400 * 86_400, httponly=True, samesite="Lax",
        secure=secure_cookies(), path="/join",
    )  # fmt: skip
    return response


@blueprint.get("/card")
def card() -> Any:
    """The member's card with the bar code that the counter and the till scan."""
    limit_attempts(LOOKS)
    try:
        invitation_id = str(_seal().loads(request.cookies.get(CARD_COOKIE, "")))
    except BadSignature:
        return _closed("unknown")
    session = reading()
    found = session.get(MemberInvitation, invitation_id)
    customer = session.get(Customer, found.customer_id) if found and found.customer_id else None
    if found is None or customer is None:
        return _closed("unknown")
    store = session.get(Store, found.store_id)
    return render_template("joining/card.html", customer=customer, code=jan(customer.customer_id), store=store)


def _form(token: str, store_id: str, typed: Typed, troubles: dict[str, str]) -> str:
    store = reading().get(Store, store_id)
    return render_template("joining/form.html", token=token, store=store, typed=typed, troubles=troubles)


def _closed(state: str) -> tuple[str, int]:
    known = state if state in ("joined", "expired") else "unknown"
    return render_template(
        "joining/closed.html", title=t(f"joining.{known}.title"), text=t(f"joining.{known}.text")
    ), 404


def _line(name: str) -> str:
    text = unicodedata.normalize("NFKC", request.form.get(name, ""))
    return " ".join(one for one in text.split() if one.isprintable())[:LONGEST].strip()


def _seal() -> URLSafeSerializer:
    key = current_app.secret_key
    assert isinstance(key, str)
    return URLSafeSerializer(key, salt="member card")
