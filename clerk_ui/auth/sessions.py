"""The person on a tablet: who may sign in, signing in by PIN, signing out."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, jsonify, request
from sqlalchemy.orm import Session

from clerk_ui import languages
from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import DEVICE_COOKIE, SESSION_COOKIE, Caller, caller
from clerk_ui.auth.cookies import forget_session, keep_device, keep_session
from clerk_ui.auth.documents import LanguageChoice, PeopleDocument, PinSignIn, SessionDocument
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.metrics import SIGN_INS
from clerk_ui.security import require_same_origin
from journey.accounts import IN_A_STORE, accounts, set_language
from journey.errors import NotAllowed, NotFound, OsusumeError
from journey.sign_ins import close_session, open_session, reserve_attempt, verify
from journey.stores import Store

blueprint = APIBlueprint("sessions", "clerk_ui.auth", tag="Tablets", url_prefix="/api")
PINS = RateLimit(30, 60)


@blueprint.get("/session")
@blueprint.output(SessionDocument)
@blueprint.doc(operation_id="getSession")
def get_session() -> Response:
    """Which tablet this is, in which store, and who is on it.

    Also the tablet's hello: it renews the cookie of the device. A tablet that was never enrolled gets
    `device: null`; a revoked one gets 401.
    """
    found = caller()
    response = jsonify(session_document(found))
    if found.tablet is not None:
        keep_device(response, request.cookies[DEVICE_COOKIE])
    return response


@blueprint.post("/session")
@blueprint.output(SessionDocument, status_code=201)
@blueprint.doc(operation_id="signIn", security="tablet")
@requires(person=False)
@blueprint.input(PinSignIn, arg_name="body")
def sign_in(caller: Caller, body: PinSignIn) -> Response:
    """Sign a person of this store in by PIN; whoever was on the tablet before is signed out.

    After five wrong PINs the account is locked for five minutes, then for ten, and so on (429 with `retry_after`).
    """
    assert caller.tablet is not None
    limit_attempts(PINS, caller.tablet.device_id)
    with writing() as session:
        account = reserve_attempt(session, body.account_id, now=request_time())
    try:
        verify(account, body.pin, method="pin")
        assert account is not None
        if account.role not in IN_A_STORE or account.store_id != caller.tablet.store_id:
            raise NotAllowed(
                "this person does not work in this store",
                where="account_id",
                what_to_do="sign in on another tablet",
                problem="other-store",
            )
    except OsusumeError:
        SIGN_INS.labels("pin", "no").inc()
        raise
    SIGN_INS.labels("pin", "yes").inc()
    with writing() as session:
        token = open_session(
            session,
            account.account_id,
            epoch=account.session_epoch,
            device_id=caller.tablet.device_id,
            method="pin",
            now=request_time(),
            lifetime=lifetime(),
        )
    document = session_document(Caller(tablet=caller.tablet)) | {"person": person_document(account)}
    response = jsonify(document)
    response.status_code = 201
    keep_session(response, token, lifetime())
    return response


@blueprint.delete("/session")
@blueprint.output({}, status_code=204)
@blueprint.doc(operation_id="signOut", security="tablet")
def sign_out() -> Response:
    """Sign out; also when nobody was signed in any more."""
    require_same_origin()
    end_session()
    response = Response(status=204)
    forget_session(response)
    return response


@blueprint.put("/session/language")
@blueprint.output(SessionDocument)
@blueprint.doc(operation_id="chooseLanguage", security="tablet")
@requires()
@blueprint.input(LanguageChoice, arg_name="body")
def choose_language(caller: Caller, body: LanguageChoice) -> Response:
    """Remember the language in which the signed-in person reads the screens."""
    assert caller.person is not None
    with writing() as session:
        set_language(session, caller.person.account_id, body.language)
    person = dataclasses.replace(caller.person, language=body.language)
    g.language = body.language
    return jsonify(session_document(dataclasses.replace(caller, person=person)))


@blueprint.get("/people")
@blueprint.output(PeopleDocument)
@blueprint.doc(operation_id="listPeople", security="tablet")
@requires(person=False)
def list_people(caller: Caller) -> dict[str, Any]:
    """The people who may sign in on this tablet."""
    assert caller.tablet is not None
    found = accounts(reading(), store_id=caller.tablet.store_id, enabled_only=True)
    return {
        "people": [person_document(account) for account in found if account.pin_hash and account.role in IN_A_STORE]
    }


def end_session() -> None:
    """End the session that the cookie names, if any."""
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        with writing() as session:
            close_session(session, token, now=request_time())


def lifetime() -> timedelta:
    """How long a session lasts."""
    return timedelta(hours=settings().web.session_hours)


def session_document(found: Caller) -> dict[str, Any]:
    """The answer of ``GET /api/session``."""
    chain = settings().chain
    person = found.person if found.tablet is None or (found.person and found.person.device_id) else None
    return {
        "device": {"device_id": found.tablet.device_id, "name": found.tablet.name} if found.tablet else None,
        "store": store_document(reading(), found.tablet.store_id) if found.tablet else None,
        "person": person_document(person) if person else None,
        "language": languages.current_language(),
        "idle_lock_seconds": settings().web.idle_lock_seconds,
        "server_time": request_time(),
        "chain": {"name": chain.name, "timezone": chain.timezone, "currency": chain.currency},
    }


def store_document(session: Session, store_id: str) -> dict[str, Any]:
    """A store as the tablet shows it.

    Raises:
        NotFound: it is not in the record (any more).
    """
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound(f"no store {store_id!r}", where="store_id", what_to_do="import the stores first")
    return {
        "store_id": store.store_id,
        "name": store.name,
        "timezone": store.timezone or settings().chain.timezone,
    }


def person_document(person: Any) -> dict[str, Any]:
    """A person (an account or who is signed in) as the tablet shows one."""
    return {
        "account_id": person.account_id,
        "clerk_id": person.clerk_id,
        "name": person.name,
        "role": person.role,
        "initials": initials(person.name),
        "language": person.language,
    }


def initials(name: str) -> str:
    """``佐藤 花子`` → 佐藤, ``Hanako Sato`` → HS: at most two characters."""
    words = name.replace("\u3000", " ").split()
    if not words:
        return ""
    if words[0].isascii():
        return "".join(word[0] for word in words[:2]).upper()
    return words[0][:2]
