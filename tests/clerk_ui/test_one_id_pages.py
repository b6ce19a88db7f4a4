"""The One ID page decides, takes back, and leaves traces; journeys and coupons show the report's own figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from clerk_ui.kept_results import refresh
from journey.audit import AuditEntry
from journey.coupons import Coupon, CouponGrant
from journey.customers import Customer
from journey.database import reading, writing
from journey.identity import Identity, Merge
from journey.identity_review import DifferentCustomers, note_claim
from journey.search import search_key
from journey.suggestions import Suggestion
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_management_pages import browser, form_token

NOW = datetime.now(UTC)
PAGES = ("/coe/identity", "/coe/journeys", "/coe/coupons")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Tables and analyses are tested on both databases; here it is about pages."""
    return sqlite_url


@pytest.fixture
def chain(shop: Shop) -> Shop:
    """Two accounts of one person, and a cookie under which one customer has logged in."""
    with writing(shop.engine) as session:
        for customer_id in ("A", "B"):
            session.add(
                Customer(customer_id=customer_id, name="森 直子", search_key=search_key("森 直子"), birth_year=1990)
            )
        session.add(Identity(kind="email_hash", value="h", customer_ref="A", customer_id="A", linked_at=NOW))
        session.flush()
        note_claim(session, "email_hash", "h", "B", now=NOW)
        for number, customer in enumerate(("A", None, None)):
            session.add(
                WebEvent(event_id=f"E{number}", occurred_at=NOW - timedelta(minutes=3 - number), visitor_id="V",
                         session_id="W", customer_id=customer, customer_ref=customer,
                         kind=("view", "cart", "recommend_click")[number], page="/p", content_id="sug-ec-1")
            )  # fmt: skip
        for rank in (1, 2):
            session.add(
                Suggestion(suggestion_id=f"sug-ec-{rank}", store_id="S1", shown_at=NOW, product_id="P", rank=rank,
                           channel="ec", arm="treatment")
            )  # fmt: skip
        session.add(Coupon(coupon_id="Q", name="300円引き", kind="amount", value=Decimal(300)))
        for number in range(4):
            session.add(
                CouponGrant(coupon_id="Q", customer_ref=f"C{number}", customer_id=f"C{number}", granted_at=NOW,
                            channel="app", redeemed_at=NOW if number == 0 else None,
                            redeemed_channel="store" if number == 0 else None)
            )  # fmt: skip
    refresh(shop.engine, now=NOW, timezone="Asia/Tokyo", kinds=("one_id", "journeys", "coupons"))
    return shop


def post(client: Any, path: str, **form: str) -> Any:
    token = form_token(client.get("/coe/identity").text)
    return client.post(f"/coe/identity{path}", data=form | {"form_token": token})


@pytest.mark.parametrize("address", PAGES)
def test_who_may_see_them_and_what_an_empty_record_says(shop: Shop, address: str) -> None:
    assert shop.app.test_client().get(address).status_code == 302
    assert browser(shop, "manager", "S1").get(address).status_code == 403
    coe = browser(shop, "coe")
    for language in ("ja", "en"):
        assert coe.get(f"{address}?lang={language}").status_code == 200
    refresh(shop.engine, now=NOW, timezone="Asia/Tokyo", kinds=("one_id", "journeys", "coupons"))
    assert coe.get(address).status_code == 200


def test_a_person_joins_two_accounts_and_takes_it_back(chain: Shop) -> None:
    coe = browser(chain, "coe")
    page = coe.get("/coe/identity?lang=ja").text
    assert page.count("森 直子") >= 2
    assert "同じメール" in page
    assert post(coe, "/merges", survivor="A", merged="B").status_code == 303
    with reading(chain.engine) as session:
        made = session.scalars(select(Merge)).one()
        assert (made.survivor_id, made.merged_id, made.merged_by) == ("A", "B", "account:the-coe")
        assert [e["kind"] for e in (made.evidence or {})["proposed"]] == ["email_hash", "same_name", "same_birth_year"]
        assert session.get_one(Customer, "B").merged_into == "A"
    assert (
        "お一人にまとめる" not in coe.get("/coe/identity?lang=ja").text
    )  # decided: not proposed, though kept results are older
    assert post(coe, "/merges", survivor="A", merged="B").status_code == 409
    assert post(coe, f"/merges/{made.merge_id}/undo").status_code == 303
    with reading(chain.engine) as session:
        assert session.get_one(Customer, "B").merged_into is None
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.actor == "account:the-coe")).all()
    assert {"identity.viewed", "customer.merged", "customer.split"} <= set(acts)
    assert post(coe, f"/merges/{made.merge_id}/undo").status_code == 409


def test_two_people_stay_two_and_a_foreign_page_decides_nothing(chain: Shop) -> None:
    coe = browser(chain, "coe")
    assert coe.post("/coe/identity/merges", data={"survivor": "A", "merged": "B"}).status_code == 403
    assert post(coe, "/different", one="B", other="A").status_code == 303
    assert post(coe, "/different", one="A", other="nobody").status_code == 303
    with reading(chain.engine) as session:
        pairs = session.execute(select(DifferentCustomers.customer_a, DifferentCustomers.customer_b)).all()
        assert pairs == [("A", "B")]
    assert "お一人にまとめる" not in coe.get("/coe/identity?lang=ja").text


def test_devices_of_one_customer_are_linked_at_once(chain: Shop) -> None:
    coe = browser(chain, "coe")
    assert "すべてつなぐ" in coe.get("/coe/identity?lang=ja").text
    assert post(coe, "/links").status_code == 303
    with reading(chain.engine) as session:
        assert session.get_one(Identity, ("cookie", "V")).customer_id == "A"
        assert session.scalars(select(WebEvent.customer_id)).all() == ["A", "A", "A"]
    assert "すべてつなぐ" not in coe.get("/coe/identity?lang=ja").text


def test_journeys_and_coupons_show_figures_with_n_and_interval(chain: Shop) -> None:
    coe = browser(chain, "coe")
    page = coe.get("/coe/journeys?lang=ja").text
    assert "おすすめのクリック率(EC)" in page
    assert "50.0%" in page  # one of two suggestions shown in the web shop was clicked
    assert "「カートに入れる」から「購入」" in page
    coupons = coe.get("/coe/coupons?lang=ja").text
    assert "お渡しした5枚のうち20.0%" in coupons
    assert "人数不足" in coupons
    for kind in ("one_id", "journeys", "coupons"):
        assert coe.get(f"/coe/results/{kind}.csv").status_code == 200
