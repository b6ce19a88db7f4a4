from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from journey.audit import AuditEntry
from journey.customer_search import possible_codes
from journey.customers import Customer
from journey.database import reading, writing
from journey.identity import Identity
from journey.purchases import PosLine
from journey.search import search_key
from journey.surveys import Answer
from journey.visits import Order, Visit
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)


def person(customer_id: str, name: str, kana: str, **more: object) -> Customer:
    values = {
        "joined_on": None, "birth_year": None, "gender": None, "area": None, "tier": None, "consent_profiling": None,
        "consent_contact": None, "search_key": search_key(name, kana), "merged_into": None, "erased_at": None,
    }  # fmt: skip
    return Customer(**{"customer_id": customer_id, "name": name, "kana": kana} | values | more)


def found(shop: Shop, typed: str) -> list[str]:
    answer = shop.app.test_client().get("/api/customers", query_string={"q": typed}, headers=shop.machine())
    assert answer.status_code == 200, answer.json
    return [customer["customer_id"] for customer in answer.json["customers"]]


@pytest.fixture
def people(shop: Shop) -> Shop:
    with writing(shop.engine) as session:
        session.add(person("A", "渡辺 さくら", "ワタナベ サクラ"))
        session.add(person("B", "渡邉 桜", "ワタナベ サクラ"))
        session.add(person("C", "100%_さん", "ヒャクパーセント"))
        session.add(person("old", "旧 姓", "キュウ セイ", merged_into="A"))
        session.add(person("gone", "渡辺 けす", "ワタナベ ケス", erased_at=NOW))
        for kind, value, customer_id in (("card", "A1234567A", "A"), ("app", "app-7", "B"), ("card", "777", "old")):
            session.add(
                Identity(kind=kind, value=value, customer_ref=customer_id, customer_id=customer_id, linked_at=NOW)
            )
    return shop


def test_names_are_found_in_any_writing(people: Shop) -> None:
    for typed in ("わたなべ", "ワタナベ", "ﾜﾀﾅﾍﾞ", "ワタナベ　サクラ", "わたなべさくら"):
        assert found(people, typed) == ["A", "B"], typed
    assert found(people, "渡辺") == ["A"]  # not the erased one
    assert found(people, "%") == ["C"]
    assert found(people, "_") == ["C"]
    assert found(people, "ヤマダ") == ["0001"]  # a row that came without a search key
    assert found(people, "zzz") == found(people, "") == found(people, " ") == []


def test_member_codes_of_every_symbology_lead_to_one_person(people: Shop) -> None:
    for typed in ("4900000000017", " 4900000000017 ", "４９０００００００００１７", "490-0000-000017"):
        assert found(people, typed) == ["0001"], typed
    for typed in ("A1234567A", "1234567", "a1234567a", "*A1234567A*"):
        assert found(people, typed) == ["A"], typed
    assert found(people, "app-7") == ["B"]
    assert found(people, "777") == ["A"]  # merged: the card of the old customer leads to the One ID
    assert found(people, "0001") == ["0001"]
    assert found(people, "01") == []  # leading zeros count


def test_the_forms_of_codes() -> None:
    assert "123" in possible_codes("*123*")
    assert possible_codes("B12-3B")[:2] == ["B12-3B", "12-3"]


def test_the_card_tells_what_a_clerk_needs(shop: Shop) -> None:
    with writing(shop.engine) as session:
        for day in (3, 10):
            session.add(
                PosLine(
                    receipt_id=f"R{day}", line_no=1, store_id="S1", sold_at=NOW - timedelta(days=day), local_day=day,
                    channel="store", customer_id="0001", customer_ref="0001", card_no=None,
                    product_id="4901234567894", quantity=1, amount=Decimal(150), discount=None, coupon_id=None,
                    clerk_id=None,
                )
            )  # fmt: skip
        for number, kind in enumerate(("view", "cart", "view")):
            session.add(
                WebEvent(
                    event_id=f"E{number}", occurred_at=NOW - timedelta(hours=number + 1), visitor_id="V",
                    session_id=None, customer_id="0001", customer_ref=None, kind=kind, product_id="4901234567900",
                    content_id=None, page=None, query=None, referrer=None,
                )
            )  # fmt: skip
        session.add(
            Order(
                order_id="O1", customer_id="0001", customer_ref="0001", store_id="S1", ordered_at=NOW,
                pickup_at=NOW, status="ready",
            )
        )  # fmt: skip
        session.add(
            Answer(
                response_id="Q1", question="nps", touchpoint="", survey_id="V1", customer_id="0001",
                customer_ref=None, email_hash=None, store_id=None, asked_at=None, answered_at=NOW, score=9,
                scale_min=0, scale_max=10, comment="いつも助かります",
            )
        )  # fmt: skip
    tablet = shop.signed_in()
    note = {"note_id": str(uuid.uuid4()), "text": "犬を飼っている"}
    assert tablet.post("/api/customers/0001/notes", json=note).status_code == 201
    assert tablet.post("/api/customers/0001/notes", json=note).status_code == 200
    assert tablet.post("/api/customers/0001/notes", json=note | {"text": "猫"}).status_code == 409
    card = tablet.get("/api/customers/0001").json
    assert (card["name"], card["tier"], card["member_since"]) == ("山田 太郎", "gold", "2024-04-01")
    assert card["days_since_last_visit"] == 3
    (interest,) = card["web_interests"]
    assert (interest["kind"], interest["times"], interest["product_name"]) == ("cart", 3, "食パン")
    assert [(coupon["coupon_id"], coupon["value"], coupon["channel"]) for coupon in card["coupons"]] == [
        ("K1", 100, "app")
    ]
    assert [(order["order_id"], order["here"]) for order in card["orders"]] == [("O1", True)]
    assert card["last_answer"]["comment"] == "いつも助かります"
    assert [(kept["text"], kept["clerk_name"]) for kept in card["notes"]] == [("犬を飼っている", "佐藤 花子")]
    assert [(p["name"], p["times"]) for p in card["frequent_products"]] == [("緑茶 500ml", 2)]
    with writing(shop.engine) as session:
        customer = session.get(Customer, "0001")
        assert customer is not None
        customer.consent_profiling = False
    card = tablet.get("/api/customers/0001").json
    assert (card["web_interests"], card["frequent_products"], card["consent"]["may_profile"]) == ([], [], False)
    assert card["orders"]


def test_opening_a_card_is_audited_and_ends_the_wait(shop: Shop) -> None:
    with writing(shop.engine) as session:
        for store_id in ("S1", "S2"):
            session.add(
                Visit(
                    visit_id=store_id, store_id=store_id, customer_id="0001", customer_ref="0001", source="checkin",
                    arrived_at=NOW, attended_at=None, ended_at=None, clerk_id=None,
                )
            )  # fmt: skip
    tablet = shop.signed_in()
    (waiting,) = tablet.get("/api/expected").json["expected"]
    assert (waiting["source"], waiting["attended"], waiting["name"]) == ("checkin", False, "山田 太郎")
    assert tablet.get("/api/customers/0001").status_code == 200
    (waiting,) = tablet.get("/api/expected").json["expected"]
    assert waiting["attended"] is True
    with reading(shop.engine) as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.viewed"))
        assert (entry.actor, entry.subject_id) == ("account:C1", "0001")
        assert entry.detail is not None
        assert entry.detail["device_id"]
        other = session.get(Visit, "S2")
        assert other is not None
        assert other.attended_at is None


def test_strangers_and_people_who_are_gone(people: Shop) -> None:
    assert people.stranger().get("/api/customers?q=x").status_code == 401
    assert people.tablet().get("/api/customers/0001").json["type"] == "urn:osusume:problem:signed-out"
    tablet = people.signed_in()
    assert tablet.get("/api/customers/gone").status_code == 404
    unknown = tablet.get("/api/customers/nobody")
    assert (unknown.status_code, unknown.json["where"]) == (404, "customer_id")
    assert tablet.get("/api/customers/old").json["customer_id"] == "A"
    assert tablet.get("/api/customers?q=%00").status_code == 404
    assert tablet.get("/api/customers/%00").status_code == 404
    assert tablet.get("/api/customers?q=" + "x" * 300).status_code == 422
