"""Tablets and PINs of a store: enrol a tablet, shut out a lost one, help somebody who is locked out."""

from __future__ import annotations

import secrets
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import frame, signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.asked import asked_store
from journey.accounts import IN_A_STORE, Account, accounts, find_account, set_pin
from journey.devices import add_device, devices, revoke_device
from journey.errors import InputError, NotFound

blueprint = APIBlueprint("tablets", "clerk_ui.store", enable_openapi=False, url_prefix="/store/tablets")
PIN_DIGITS = 6
LONGEST_NAME = 40


@blueprint.get("")
@require_role("manager")
def page() -> str:
    """The page."""
    return _page()


@blueprint.post("")
@require_role("manager")
def add() -> str:
    """A code for a new tablet; it is shown on this one answer only."""
    require_form_token()
    store = asked_store().store
    name = " ".join(request.form.get("name", "").split())[:LONGEST_NAME]
    if not name or not name.isprintable():
        raise InputError("the tablet has no name", where="name", what_to_do="say where it stands")
    with writing() as session:
        _, code = add_device(session, store_id=store.store_id, name=name, now=request_time(), actor=_actor())
    return _page(code=code, name=name)


@blueprint.post("/<device_id>/revocation")
@require_role("manager")
def revoke(device_id: str) -> Any:
    """Shut a tablet out at once; what waits on it can still be sent after it is enrolled again."""
    require_form_token()
    store = asked_store().store
    with writing() as session:
        if device_id not in {one.device_id for one in devices(session, store_id=store.store_id)}:
            raise NotFound(f"no tablet {device_id!r} here", where="device_id", what_to_do="reload the page")
        revoke_device(session, device_id, now=request_time(), actor=_actor())
    return redirect(url_for("tablets.page", store=store.store_id), 303)


@blueprint.post("/people/<account_id>/pin")
@require_role("manager")
def new_pin(account_id: str) -> str:
    """A new PIN for somebody of this store, shown on this one answer only; it lifts a lock-out."""
    require_form_token()
    store = asked_store().store
    pin = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
    with writing() as session:
        account = find_account(session, account_id)
        if account.store_id != store.store_id or account.role not in IN_A_STORE or account.disabled_at:
            raise NotFound(f"no account {account_id!r} here", where="account_id", what_to_do="reload the page")
        set_pin(session, account_id, pin, now=request_time(), actor=_actor())
        name = account.name
    return _page(pin=pin, name=name)


def _page(**issued: str) -> str:
    asked, now = asked_store(), request_time()
    tablets = sorted(devices(reading(), store_id=asked.store.store_id), key=lambda one: bool(one.revoked_at))
    people = [
        one for one in accounts(reading(), store_id=asked.store.store_id, enabled_only=True) if one.role in IN_A_STORE
    ]
    return render_template(
        "store/tablets.html",
        **frame("tablets"),
        store=asked.store,
        tz=str(asked.tz),
        now=now,
        tablets=tablets,
        in_use=sum(1 for one in tablets if one.enrolled_at and not one.revoked_at),
        people=[(one, _locked(one)) for one in people],
        locked=[one.name for one in people if _locked(one)],
        issued=issued,
    )


def _locked(account: Account) -> bool:
    return account.locked_until is not None and account.locked_until > request_time()


def _actor() -> str:
    return f"account:{signed_in().account_id}"
