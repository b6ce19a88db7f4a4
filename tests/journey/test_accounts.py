from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from journey.accounts import accounts, add_account, disable_account, password_hash, pin_hash, set_language
from journey.api_keys import SCOPES, add_key, keys, revoke_key
from journey.devices import add_device, devices, enrol, revoke_device
from journey.errors import Conflict, InputError, NotAuthenticated, NotFound
from journey.sign_ins import close_session, has_worked_on, lock_length, open_session, present_person
from journey.stores import Clerk, Store
from journey.tokens import CODE_LETTERS, hashed, new_code, plain_code

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.fixture
def store(session: Session) -> Session:
    session.add(Store(store_id="S1", name="新宿店"))
    session.add(Clerk(clerk_id="C1", store_id="S1", name="佐藤"))
    session.flush()
    return session


def test_an_account_takes_its_store_from_its_clerk(store: Session) -> None:
    account = add_account(store, name="佐藤", role="clerk", clerk_id="C1", now=NOW)
    assert (account.account_id, account.store_id, account.session_epoch) == ("C1", "S1", 0)
    assert [one.account_id for one in accounts(store, store_id="S1")] == ["C1"]
    disable_account(store, "C1", now=NOW)
    assert accounts(store, store_id="S1", enabled_only=True) == []


@pytest.mark.parametrize(
    ("wishes", "error", "where"),
    [
        ({"role": "boss"}, InputError, "role"),
        ({"role": "clerk"}, InputError, "store_id"),
        ({"role": "clerk", "clerk_id": "C9"}, NotFound, "clerk_id"),
        ({"role": "manager", "store_id": "S9"}, NotFound, "store_id"),
        ({"role": "coe", "language": "fr"}, InputError, "language"),
        ({"role": "coe", "pin": "12a4"}, InputError, "pin"),
        ({"role": "coe", "pin": "１２３４"}, InputError, "pin"),
        ({"role": "coe", "password": "short"}, InputError, "password"),
    ],
)
def test_accounts_that_cannot_be(store: Session, wishes: dict[str, str], error: type[Exception], where: str) -> None:
    with pytest.raises(error) as caught:
        add_account(store, name="x", now=NOW, **wishes)  # type: ignore[arg-type]
    assert caught.value.where == where  # type: ignore[attr-defined]


def test_one_account_per_person(store: Session) -> None:
    add_account(store, name="佐藤", role="clerk", clerk_id="C1", now=NOW)
    with pytest.raises(Conflict):
        add_account(store, name="x", role="coe", account_id="C1", now=NOW)
    with pytest.raises(Conflict):
        add_account(store, name="x", role="clerk", account_id="other", clerk_id="C1", now=NOW)
    set_language(store, "C1", "en")
    assert accounts(store)[0].language == "en"


def test_secrets_are_kept_as_salted_hashes() -> None:
    assert pin_hash("1234") != pin_hash("1234")
    assert "argon2id" in password_hash("long enough")
    assert "1234" not in pin_hash("1234")


def test_locks_grow_and_end() -> None:
    lengths = [lock_length(failures) for failures in (5, 10, 15, 20)]
    assert lengths == [timedelta(minutes=minutes) for minutes in (5, 10, 20, 40)]
    assert lock_length(500) == timedelta(hours=24)


def test_a_session_holds_until_it_ends(store: Session) -> None:
    add_account(store, name="佐藤", role="clerk", clerk_id="C1", now=NOW)
    hours = timedelta(hours=12)
    token = open_session(store, "C1", epoch=0, device_id="D1", method="pin", now=NOW, lifetime=hours)
    person = present_person(store, token, now=NOW)
    assert person is not None
    assert (person.clerk_id, person.device_id, person.method) == ("C1", "D1", "pin")
    assert present_person(store, token, now=NOW + hours) is None
    assert present_person(store, "other", now=NOW) is None
    second = open_session(store, "C1", epoch=0, device_id="D1", method="pin", now=NOW, lifetime=hours)
    assert present_person(store, token, now=NOW) is None  # one person at a time on a tablet
    close_session(store, second, now=NOW)
    assert present_person(store, second, now=NOW) is None
    assert has_worked_on(store, "C1", "D1")
    assert not has_worked_on(store, "C1", "D2")


def test_codes_are_read_as_people_type_them() -> None:
    code = new_code()
    assert len(code) == 9
    assert set(code) - {"-"} <= set(CODE_LETTERS)
    assert plain_code(" o1il-abcd ") == "0111ABCD"
    assert hashed("x") != hashed("y")


def test_a_revoked_tablet_cannot_be_enrolled_by_its_old_code(store: Session) -> None:
    device, code = add_device(store, store_id="S1", name="counter", now=NOW)
    revoke_device(store, device.device_id, now=NOW)
    with pytest.raises(NotAuthenticated):
        enrol(store, code, now=NOW)
    assert [one.device_id for one in devices(store, store_id="S1")] == [device.device_id]
    with pytest.raises(NotFound):
        add_device(store, store_id="S9", name="counter", now=NOW)


def test_keys_have_scopes_and_an_end(store: Session) -> None:
    key, secret = add_key(store, name="till", scopes=["stock", "pos-lines"], now=NOW)
    assert key.scopes == "pos-lines stock"
    assert secret not in (key.key_hash, key.key_id)
    assert add_key(store, name="all", now=NOW + timedelta(1))[0].scopes.split() == list(SCOPES)
    revoke_key(store, key.key_id, now=NOW)
    assert [one.name for one in keys(store)] == ["all", "till"]
    with pytest.raises(InputError, match="no scope everything"):
        add_key(store, name="x", scopes=["everything"], now=NOW)
    with pytest.raises(NotFound):
        revoke_key(store, "none", now=NOW)
