from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select, update

from journey.accounts import Account, Device, disable_account, set_pin
from journey.audit import AuditEntry
from journey.database import reading, writing
from journey.devices import add_device, revoke_device
from tests.clerk_ui.conftest import PASSWORD, PIN, Shop, sign_in


def wrong(client: FlaskClient, account_id: str = "C1") -> int:
    return client.post("/api/session", json={"account_id": account_id, "pin": "0000"}).status_code


def test_a_tablet_is_enrolled_once_per_code(shop: Shop) -> None:
    with writing(shop.engine) as session:
        _, code = add_device(session, store_id="S1", name="counter", now=datetime.now(UTC))
    first, second = shop.stranger(), shop.stranger()
    typed = f" {code.lower().replace('-', ' ')} "
    answer = first.post("/api/devices/enrolment", json={"code": typed})
    assert answer.status_code == 201
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert second.post("/api/devices/enrolment", json={"code": code}).status_code == 401
    assert first.get("/api/session").json["store"]["name"] == "新宿店"
    with reading(shop.engine) as session:
        token = cookie.split(";")[0].split("=", 1)[1]
        assert token not in str(session.execute(select(Device.token_hash)).all())  # only the hash is kept


def test_an_old_code_enrols_nothing(shop: Shop) -> None:
    with writing(shop.engine) as session:
        _, code = add_device(session, store_id="S1", name="counter", now=datetime.now(UTC) - timedelta(hours=1))
    assert shop.stranger().post("/api/devices/enrolment", json={"code": code}).status_code == 401


def test_the_session_tells_device_store_and_person(shop: Shop) -> None:
    stranger = shop.stranger().get("/api/session")
    assert (stranger.status_code, stranger.json["device"], stranger.json["person"]) == (200, None, None)
    tablet = shop.tablet()
    assert tablet.get("/api/session").json["person"] is None
    people = tablet.get("/api/people").json["people"]
    assert [person["account_id"] for person in people] == ["C1", "C2", "M1"]  # not C9 of the other store, not the CoE
    assert next(person for person in people if person["account_id"] == "M1")["initials"] == "高橋"
    sign_in(tablet, "C2")
    session = tablet.get("/api/session").json
    assert session["person"]["clerk_id"] == "C2"
    assert session["idle_lock_seconds"] == 300
    assert session["chain"] == {"name": "Osusume", "timezone": "Asia/Tokyo", "currency": "JPY"}
    assert tablet.delete("/api/session").status_code == 204
    assert tablet.get("/api/session").json["person"] is None


def test_signing_in_needs_this_store_and_the_right_pin(shop: Shop) -> None:
    tablet = shop.tablet()
    assert wrong(tablet) == 401
    assert wrong(tablet, "nobody") == 401
    other = tablet.post("/api/session", json={"account_id": "C9", "pin": PIN})
    assert (other.status_code, other.json["type"]) == (403, "urn:osusume:problem:other-store")
    assert tablet.post("/api/session", json={"account_id": "C1", "pin": "12"}).status_code == 422
    assert shop.stranger().post("/api/session", json={"account_id": "C1", "pin": PIN}).status_code == 401


def test_five_wrong_pins_lock_the_account_and_the_lock_grows(shop: Shop) -> None:
    tablet = shop.tablet()
    assert [wrong(tablet) for _ in range(6)] == [401] * 5 + [429]
    locked = tablet.post("/api/session", json={"account_id": "C1", "pin": PIN})
    assert (locked.status_code, locked.json["type"]) == (429, "urn:osusume:problem:locked-out")
    assert 290 <= int(locked.headers["Retry-After"]) <= 300
    sign_in(tablet, "C2")  # a colleague is not locked
    with writing(shop.engine) as session:
        session.execute(update(Account).values(locked_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert [wrong(tablet) for _ in range(6)] == [401] * 5 + [429]
    again = tablet.post("/api/session", json={"account_id": "C1", "pin": PIN})
    assert 590 <= int(again.headers["Retry-After"]) <= 600
    with writing(shop.engine) as session:
        set_pin(session, "C1", "1357", now=datetime.now(UTC))
    sign_in(tablet, "C1", "1357")
    with reading(shop.engine) as session:
        account = session.get(Account, "C1")
        assert account is not None
        assert (account.failed_attempts, account.locked_until) == (0, None)


def test_a_right_pin_forgives_the_wrong_ones_before(shop: Shop) -> None:
    tablet = shop.tablet()
    for _ in range(3):
        assert [wrong(tablet) for _ in range(4)] == [401] * 4
        sign_in(tablet, "C1")


def test_a_disabled_account_and_a_new_pin_end_sessions_at_once(shop: Shop) -> None:
    for change in (
        lambda session: set_pin(session, "C1", PIN, now=datetime.now(UTC)),
        lambda session: disable_account(session, "C1", now=datetime.now(UTC)),
    ):
        tablet = shop.signed_in("C1")
        assert tablet.get("/api/session").json["person"] is not None
        with writing(shop.engine) as session:
            change(session)
        assert tablet.get("/api/session").json["person"] is None
    assert wrong(shop.tablet()) == 401
    assert shop.tablet().post("/api/session", json={"account_id": "C1", "pin": PIN}).status_code == 401


def test_a_revoked_tablet_is_told_so(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    device_id = tablet.get("/api/session").json["device"]["device_id"]
    with writing(shop.engine) as session:
        revoke_device(session, device_id, now=datetime.now(UTC))
    answer = tablet.get("/api/session")
    assert (answer.status_code, answer.json["type"]) == (401, "urn:osusume:problem:device-revoked")


def test_a_session_is_worth_nothing_on_another_tablet_and_after_sign_out(shop: Shop) -> None:
    tablet, other = shop.signed_in("C1"), shop.tablet()
    cookie = tablet.get_cookie("osusume_session")
    assert cookie is not None
    other.set_cookie("osusume_session", cookie.value)
    assert other.get("/api/session").json["person"] is None
    sign_in(tablet, "C2")
    fresh = tablet.get_cookie("osusume_session")
    assert fresh is not None
    assert fresh.value != cookie.value
    tablet.set_cookie("osusume_session", cookie.value)  # whoever kept the old token has nothing
    assert tablet.get("/api/session").json["person"] is None


def form(client: FlaskClient, account_id: str, password: str, **more: str) -> tuple[int, str]:
    page = client.get("/sign-in").text
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert token is not None
    answer = client.post(
        "/sign-in", data={"form_token": token[1], "account_id": account_id, "password": password} | more
    )
    return answer.status_code, answer.headers.get("Location", "")


def test_managers_and_the_coe_sign_in_by_password(shop: Shop) -> None:
    browser = shop.app.test_client()
    assert form(browser, "M1", "wrong")[0] == 401
    assert form(browser, "C1", PASSWORD)[0] == 401  # a clerk without a password
    assert form(browser, "M1", PASSWORD) == (303, "/store/today")
    assert form(browser, "coe", PASSWORD, next="/coe/models?x=1") == (303, "/coe/models?x=1")
    for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert form(browser, "coe", PASSWORD, next=evil) == (303, "/coe/")
    with reading(shop.engine) as session:
        actions = session.scalars(select(AuditEntry.action)).all()
        assert actions.count("session.opened") == 6


def test_the_form_needs_its_token_and_leaves_by_sign_out(shop: Shop) -> None:
    browser = shop.app.test_client()
    assert browser.post("/sign-in", data={"account_id": "M1", "password": PASSWORD}).status_code == 403
    assert form(browser, "M1", PASSWORD)[0] == 303
    page = browser.get("/sign-in").text
    assert "高橋 店長" in page
    token = re.findall(r'name="form_token" value="([0-9a-f]+)"', page)[0]
    assert browser.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
    assert browser.post("/sign-out", data={"form_token": token}).status_code == 303
    assert "高橋 店長" not in browser.get("/sign-in").text


def test_passwords_are_tried_slowly(shop: Shop) -> None:
    browser = shop.app.test_client()
    assert [form(browser, "M1", "wrong")[0] for _ in range(6)] == [401] * 5 + [429]
    assert form(browser, "M1", PASSWORD)[0] == 429
    assert {form(browser, f"guess {n}", "wrong")[0] for n in range(20)} == {401, 429}


def test_the_page_is_japanese_first_and_english_by_switch(shop: Shop) -> None:
    browser = shop.app.test_client()
    assert "サインイン" in browser.get("/sign-in").text
    assert "Sign in" in browser.get("/sign-in", headers={"Accept-Language": "en-GB"}).text
    assert '<html lang="en">' in browser.get("/sign-in?lang=en").text
    assert '<html lang="en">' in browser.get("/sign-in", headers={"Accept-Language": "ja"}).text  # the switch stays


def test_a_revoked_tablet_still_serves_as_a_managers_browser(shop: Shop) -> None:
    tablet = shop.tablet()
    device_id = tablet.get("/api/session").json["device"]["device_id"]
    with writing(shop.engine) as session:
        revoke_device(session, device_id, now=datetime.now(UTC))
    assert tablet.get("/api/session").status_code == 401
    assert form(tablet, "M1", PASSWORD)[0] == 303
    assert tablet.get("/api/session").json["person"]["account_id"] == "M1"


def test_a_password_alone_opens_no_customer(shop: Shop) -> None:
    browser = shop.stranger()
    assert form(browser, "M1", PASSWORD)[0] == 303
    assert browser.get("/api/customers/0001").status_code == 401  # the audit log knows tablets and keys


def test_a_password_typed_into_a_tablets_browser_is_no_pin(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    assert form(tablet, "M1", PASSWORD)[0] == 303
    assert tablet.get("/api/session").json["person"] is None
    assert tablet.get("/api/customers/0001").json["type"] == "urn:osusume:problem:signed-out"
    sign_in(tablet, "C1")
    assert tablet.get("/api/customers/0001").status_code == 200


def test_a_person_keeps_their_language(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    assert tablet.get("/api/session").json["language"] == "ja"
    chosen = tablet.put("/api/session/language", json={"language": "en"})
    assert (chosen.status_code, chosen.json["language"], chosen.json["person"]["language"]) == (200, "en", "en")
    assert tablet.put("/api/session/language", json={"language": "fr"}).status_code == 422
    sign_in(tablet, "C2")
    assert tablet.get("/api/session").json["language"] == "ja"
    sign_in(tablet, "C1")
    assert tablet.get("/api/session").json["language"] == "en"
