"""Tablets and PINs: a lost tablet is shut out at once, who is locked out gets a new PIN, nobody sees other stores."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import select

from journey.accounts import Account, Device
from journey.audit import AuditEntry
from journey.database import reading, writing
from journey.devices import add_device
from tests.clerk_ui.conftest import PIN, Shop
from tests.clerk_ui.test_management_pages import browser, form_token

NOW = datetime.now(UTC)


def send(client: FlaskClient, address: str, **fields: str) -> str:
    token = form_token(client.get("/store/tablets").text)
    answer = client.post(address, data=fields | {"form_token": token}, follow_redirects=True)
    return answer.text if answer.status_code == 200 else str(answer.status_code)


def test_a_manager_adds_a_tablet_with_a_code_that_is_shown_once(shop: Shop) -> None:
    manager = browser(shop, "manager", "S1")
    told = send(manager, "/store/tablets", name="化粧品カウンター")
    code = re.search(r"secret__value\">([0-9A-Z]{4}-[0-9A-Z]{4})<", told)
    assert code
    assert code[1] not in manager.get("/store/tablets").text
    tablet = shop.stranger()
    assert tablet.post("/api/devices/enrolment", json={"code": code[1]}).status_code == 201
    assert tablet.get("/api/session").json["store"]["store_id"] == "S1"


def test_a_lost_tablet_is_shut_out_at_once(shop: Shop) -> None:
    lost, manager = shop.signed_in("C1"), browser(shop, "manager", "S1")
    assert lost.get("/api/customers/0001").status_code == 200
    with reading(shop.engine) as session:
        device_id = session.scalars(select(Device.device_id).where(Device.store_id == "S1")).one()
    assert "利用停止" in send(manager, f"/store/tablets/{device_id}/revocation")
    refused = lost.get("/api/customers/0001")
    assert (refused.status_code, refused.json["type"].split(":")[-1]) == (401, "device-revoked")
    with reading(shop.engine) as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "device.revoked")).one()
    assert noted.actor == "account:the-manager"


def test_a_new_pin_lifts_a_lock_out_and_ends_the_old_one(shop: Shop) -> None:
    tablet, manager = shop.tablet(), browser(shop, "manager", "S1")
    for _ in range(6):
        locked = tablet.post("/api/session", json={"account_id": "C2", "pin": "0000"})
    assert locked.status_code == 429
    page = manager.get("/store/tablets").text
    assert "account C2さんが、PINの入力違い" in page
    told = send(manager, "/store/tablets/people/C2/pin")
    pin = re.search(r"secret__value\">([0-9]{6})<", told)
    assert pin
    assert tablet.post("/api/session", json={"account_id": "C2", "pin": PIN}).status_code == 401
    assert tablet.post("/api/session", json={"account_id": "C2", "pin": pin[1]}).status_code == 201


def test_of_another_store_nothing_is_seen_or_done(shop: Shop) -> None:
    with writing(shop.engine) as session:
        foreign = add_device(session, store_id="S2", name="遠い端末", now=NOW)[0].device_id
    manager = browser(shop, "manager", "S1")
    assert "遠い端末" not in manager.get("/store/tablets").text
    assert manager.get("/store/tablets?store=S2").status_code == 403
    assert send(manager, f"/store/tablets/{foreign}/revocation") == "404"
    assert send(manager, f"/store/tablets/{foreign}/revocation", store="S2") == "403"
    assert send(manager, "/store/tablets/people/C9/pin") == "404"
    with reading(shop.engine) as session:
        assert session.get_one(Device, foreign).revoked_at is None
        assert session.get_one(Account, "C9").session_epoch == 0


def test_who_may_not(shop: Shop) -> None:
    assert shop.app.test_client().get("/store/tablets").status_code == 302
    assert browser(shop, "coe").get("/store/tablets").status_code == 403
    manager = browser(shop, "manager", "S1")
    assert manager.post("/store/tablets", data={"name": "x"}).status_code == 403
    assert send(manager, "/store/tablets", name=" ") == "422"
