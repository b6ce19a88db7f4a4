"""``osusume user``, ``device`` and ``key``: people, tablets and machines."""

from __future__ import annotations

import secrets
import sys
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk
from journey import accounts, api_keys, devices
from journey.database import reading, writing
from journey.errors import InputError
from journey.leavers import forget_clerk
from journey.stores import Clerk, add_clerk


def _secret(given: str | None, what: str) -> str:
    """A PIN or password from the option, else asked for on a terminal."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError(f"no {what}", where=f"--{what.lower()}", what_to_do="give it, or run this on a terminal")
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True))


@click.group()
def user_command() -> None:
    """Add, list and disable people, and set their PINs."""


@user_command.command("add")
@click.argument("account_id")
@click.option("--name", default=None, help="As shown on the tablet; default: the clerk's name, else the id.")
@click.option("--role", default="clerk", show_default=True, type=click.Choice(accounts.ROLES))
@click.option("--clerk", "clerk_id", default=None, help="The clerk of the record this person is.")
@click.option("--store", "store_id", default=None, help="Default: the clerk's store.")
@click.option("--pin", default=None, help="4–6 digits, for a tablet; asked for when neither this nor --password.")
@click.option("--password", default=None, help="For the pages of managers and the CoE.")
@click.option("--language", default=None, type=click.Choice(accounts.LANGUAGES))
@at_desk
def user_add(
    desk: Desk, account_id: str, name: str | None, role: str, clerk_id: str | None, store_id: str | None,
    pin: str | None, password: str | None, language: str | None,
) -> None:  # fmt: skip
    """Add a person who signs in as ACCOUNT_ID."""
    if pin is None and password is None:
        pin = _secret(None, "PIN")
    with writing(desk.engine) as session:
        if name is None and clerk_id is not None:
            clerk = session.get(Clerk, clerk_id)
            name = clerk.name if clerk else None
        if clerk_id is None and role in accounts.IN_A_STORE and store_id is not None:
            clerk_id = add_clerk(session, account_id, store_id=store_id, name=name or account_id, role=role).clerk_id
        account = accounts.add_account(
            session, account_id=account_id, name=name or account_id, role=role, clerk_id=clerk_id, store_id=store_id,
            pin=pin, password=password, language=language, now=desk.now,
        )  # fmt: skip
        document = _person(account)
    desk.show(document, lambda: desk.say(f"{account_id}: {document['name']}, {role}, store {document['store_id']}"))


@user_command.command("add-all")
@click.option("--store", "store_id", default=None, help="Only this store.")
@click.option("--pin", default=None, help="The same PIN for all, to begin with; default: one each, printed once.")
@at_desk
def user_add_all(desk: Desk, store_id: str | None, pin: str | None) -> None:
    """Add an account for every clerk of the record who has none and still works there.

    A chain whose record has no clerks gets one in each store, so that somebody can sign in.
    """
    made: dict[str, list[dict[str, Any]]] = {}
    with writing(desk.engine) as session:
        for clerk in accounts.clerks_without_account(session, store_id=store_id, today=desk.now.date()):
            own = pin or f"{secrets.randbelow(10**6):06}"
            account = accounts.add_account(
                session, name=clerk.name, role=clerk.role if clerk.role in accounts.IN_A_STORE else "clerk",
                clerk_id=clerk.clerk_id, pin=own, now=desk.now,
            )  # fmt: skip
            made.setdefault(clerk.store_id, []).append(_person(account) | {"pin": own})
    rows = [person for people in made.values() for person in people]
    columns = ["account_id", "name", "role", "store_id", "pin"]
    desk.show({"stores": made}, lambda: desk.table(rows, columns, title=f"{len(rows)} added"))


@user_command.command("list")
@click.option("--store", "store_id", default=None)
@at_desk
def user_list(desk: Desk, store_id: str | None) -> None:
    """List people."""
    with reading(desk.engine) as session:
        people = [_person(account) for account in accounts.accounts(session, store_id=store_id)]
    desk.show({"users": people}, lambda: desk.table(people, list(people[0]) if people else []))


@user_command.command("disable")
@click.argument("account_id")
@at_desk
def user_disable(desk: Desk, account_id: str) -> None:
    """Shut a person out at once, on every tablet."""
    with writing(desk.engine) as session:
        accounts.disable_account(session, account_id, now=desk.now)
    desk.show({"account_id": account_id, "disabled": True}, lambda: desk.say(f"{account_id}: disabled"))


@user_command.command("pin")
@click.argument("account_id")
@click.option("--pin", default=None, help="Asked for when left out.")
@at_desk
def user_pin(desk: Desk, account_id: str, pin: str | None) -> None:
    """Set a new PIN; lifts a lock-out and ends the person's sessions."""
    pin = _secret(pin, "PIN")
    with writing(desk.engine) as session:
        accounts.set_pin(session, account_id, pin, now=desk.now)
    desk.show({"account_id": account_id, "pin_set": True}, lambda: desk.say(f"{account_id}: new PIN set"))


def _person(account: accounts.Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "role": account.role,
        "clerk_id": account.clerk_id,
        "store_id": account.store_id,
        "disabled": account.disabled_at is not None,
        "locked_until": account.locked_until,
    }


@user_command.command("forget")
@click.argument("clerk_id")
@at_desk
def user_forget(desk: Desk, clerk_id: str) -> None:
    """Forget a clerk who left: name, account, coaching notes; the store's counts stay."""
    with writing(desk.engine) as session:
        done = forget_clerk(session, clerk_id, actor="command line", now=desk.now)
    desk.show({"clerk_id": clerk_id, "removed": done}, lambda: desk.say(f"{clerk_id} is forgotten"))


@click.group()
def device_command() -> None:
    """Enrol, list and revoke tablets."""


@device_command.command("enrol")
@click.option("--store", "store_id", required=True, help="The store that the tablet stays in.")
@click.option("--name", default="tablet", show_default=True)
@at_desk
def device_enrol(desk: Desk, store_id: str, name: str) -> None:
    """Make a code that enrols one tablet in a store; it works once, for half an hour."""
    with writing(desk.engine) as session:
        device, code = devices.add_device(session, store_id=store_id, name=name, now=desk.now)
        until = device.enrol_code_until
    document = {"device_id": device.device_id, "store_id": store_id, "code": code, "valid_until": until}
    desk.show(document, lambda: desk.say(f"On the tablet open /counter/ and type {code} (until {until:%H:%M} UTC)"))


@device_command.command("list")
@click.option("--store", "store_id", default=None)
@at_desk
def device_list(desk: Desk, store_id: str | None) -> None:
    """List tablets."""
    columns = ["device_id", "store_id", "name", "enrolled_at", "last_seen_at", "revoked_at"]
    with reading(desk.engine) as session:
        rows = [{c: getattr(device, c) for c in columns} for device in devices.devices(session, store_id=store_id)]
    desk.show({"devices": rows}, lambda: desk.table(rows, columns))


@device_command.command("revoke")
@click.argument("device_id")
@at_desk
def device_revoke(desk: Desk, device_id: str) -> None:
    """Shut a lost tablet out at once."""
    with writing(desk.engine) as session:
        devices.revoke_device(session, device_id, now=desk.now)
    desk.show({"device_id": device_id, "revoked": True}, lambda: desk.say(f"{device_id}: revoked"))


@click.group()
def key_command() -> None:
    """Add, list and revoke the keys of machines."""


@key_command.command("add")
@click.option("--name", required=True, help="What the key is for.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(api_keys.SCOPES), help="Repeatable; default: all.")
@at_desk
def key_add(desk: Desk, name: str, scopes: tuple[str, ...]) -> None:
    """Make a key; it is printed once and kept as a hash only."""
    with writing(desk.engine) as session:
        key, secret = api_keys.add_key(session, name=name, scopes=scopes, now=desk.now)
        document = {"key_id": key.key_id, "name": name, "scopes": key.scopes.split(), "key": secret}
    desk.show(document, lambda: desk.say(f"{secret}\n(keep it now; it is not shown again. id {document['key_id']})"))


@key_command.command("list")
@at_desk
def key_list(desk: Desk) -> None:
    """List keys, without their secrets."""
    columns = ["key_id", "name", "scopes", "created_at", "last_used_at", "revoked_at"]
    with reading(desk.engine) as session:
        rows = [{c: getattr(key, c) for c in columns} for key in api_keys.keys(session)]
    desk.show({"keys": rows}, lambda: desk.table(rows, columns))


@key_command.command("revoke")
@click.argument("key_id")
@at_desk
def key_revoke(desk: Desk, key_id: str) -> None:
    """Make a key useless at once."""
    with writing(desk.engine) as session:
        api_keys.revoke_key(session, key_id, now=desk.now)
    desk.show({"key_id": key_id, "revoked": True}, lambda: desk.say(f"{key_id}: revoked"))
