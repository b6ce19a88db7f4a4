"""«Show it in the store»: a number on the web shop's screen links that browser to the customer at the counter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from clerk_ui.intake import visitor_codes
from journey.audit import AuditEntry
from journey.customers import Customer
from journey.database import reading, writing
from journey.erasure import erase_customer
from journey.identity import Identity
from journey.visitor_codes import VALID, VisitorCode
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)
COOKIE = "b." + "d" * 22
TEA = "4901234567894"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    visitor_codes.SCANS.clear()
    with writing(shop.engine) as session:
        session.add(Customer(customer_id="0002", name="山田 花子", consent_profiling=True))
        session.add(Customer(customer_id="0003", name="内緒 さん", consent_profiling=False))
        session.add(WebEvent(event_id="E1", occurred_at=NOW, visitor_id=COOKIE, kind="view", product_id=TEA))
    return shop


def shown(shop: Shop, visitor: str = COOKIE, **more: str) -> str:
    made = shop.app.test_client().post(f"/api/visitors/{visitor}/code", json=more, headers=shop.machine())
    assert made.status_code == 201, made.json
    assert made.json["bar_code"]["path"].startswith("M")
    code: str = made.json["code"]
    return code


def link(tablet: Any, code: str, customer_id: str) -> Any:
    return tablet.put(f"/api/visitor-codes/{code}/customer", json={"customer_id": customer_id})


def test_a_scanned_number_links_the_browser_once_audited_and_its_looks_stand_on_the_card(shop: Shop) -> None:
    tablet, code = shop.signed_in(), shown(shop)
    looked = tablet.get(f"/api/visitor-codes/{code}").json
    assert (looked["kind"], looked["customer_id"], looked["events"]) == ("cookie", None, 1)
    assert COOKIE not in str(looked)
    made = link(tablet, code, "0001")
    assert (made.status_code, made.json) == (200, {"customer_id": "0001", "facts": 1})
    assert [each["product_id"] for each in tablet.get("/api/customers/0001").json["web_interests"]] == [TEA]
    with reading(shop.engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.linked")).one()
    assert (entry.actor, entry.subject_id) == ("account:C1", "0001")
    spent = link(tablet, code, "0001")
    assert (spent.status_code, spent.json["type"]) == (404, "urn:osusume:problem:visitor-code")
    assert tablet.get(f"/api/visitor-codes/{shown(shop)}").json["customer_id"] == "0001"  # it opens them from now on


def test_without_consent_to_profiling_nothing_is_linked(shop: Shop) -> None:
    tablet, code = shop.signed_in(), shown(shop)
    refused = link(tablet, code, "0003")
    assert (refused.status_code, refused.json["type"]) == (403, "urn:osusume:problem:no-consent")
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).where(Identity.value == COOKIE)) == 0
        assert session.scalars(select(WebEvent.customer_id)).all() == [None]


def test_somebody_elses_browser_is_not_moved(shop: Shop) -> None:
    tablet = shop.signed_in()
    assert link(tablet, shown(shop), "0001").status_code == 200
    assert link(tablet, shown(shop), "0002").status_code == 409
    assert link(tablet, shown(shop), "nobody").status_code == 404


def test_a_number_holds_for_five_minutes_and_a_new_one_ends_the_former(shop: Shop) -> None:
    tablet, first = shop.signed_in(), shown(shop)
    second = shown(shop)
    assert tablet.get(f"/api/visitor-codes/{first}").status_code == 404
    assert tablet.get(f"/api/visitor-codes/{second}").status_code == 200
    with writing(shop.engine) as session:
        (code,) = session.scalars(select(VisitorCode))
        assert code.expires_at <= datetime.now(UTC) + VALID
        assert second not in {code.code_hash, code.visitor_id}
        session.execute(update(VisitorCode).values(expires_at=NOW - timedelta(seconds=1)))
    assert link(tablet, second, "0001").status_code == 404


def test_an_apps_number_links_the_app(shop: Shop) -> None:
    assert link(shop.signed_in(), shown(shop, "app-77", kind="app"), "0002").status_code == 200
    with reading(shop.engine) as session:
        assert session.get_one(Identity, ("app", "app-77")).customer_id == "0002"


def test_who_may_not(shop: Shop) -> None:
    tablet, code = shop.signed_in(), shown(shop)
    assert tablet.post(f"/api/visitors/{COOKIE}/code", json={}).status_code == 403
    assert shop.app.test_client().get(f"/api/visitor-codes/{code}", headers=shop.machine()).status_code == 403
    assert shop.app.test_client().post(f"/api/visitors/{COOKIE}/code", json={}).status_code == 401
    assert link(shop.tablet(), code, "0001").status_code == 401  # nobody is signed in
    for _ in range(visitor_codes.SCANS.times):
        tablet.get("/api/visitor-codes/2900000000001")
    assert tablet.get(f"/api/visitor-codes/{code}").status_code == 429


def test_erasing_the_person_takes_the_number_too(shop: Shop) -> None:
    link(shop.signed_in(), shown(shop), "0001")
    shown(shop)
    with writing(shop.engine) as session:
        erase_customer(session, "0001", actor="test", now=NOW)
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(VisitorCode)) == 0
