"""Becoming a member: the code on the tablet works once and for a while; consents are two answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from clerk_ui.joining import invitations, pages
from clerk_ui.joining.drawn_codes import jan_modules, qr
from journey.audit import AuditEntry
from journey.customers import Customer
from journey.database import reading, writing
from journey.disclosure import export_customer
from journey.erasure import erase_customer
from journey.identity import Identity
from journey.member_invitations import MemberInvitation, check_digit
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)
FORM = {"name": "新井 葵", "kana": "あらい あおい", "profiling": "yes", "contact": "no"}


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    for limit in (invitations.INVITATIONS, pages.LOOKS, pages.TRIES):
        limit.clear()


@pytest.fixture
def tablet(shop: Shop) -> FlaskClient:
    return shop.signed_in("C1")


def path(made: dict[str, Any]) -> str:
    return "/join/" + made["url"].rsplit("/join/")[1]


def fill_in(shop: Shop, address: str, form: dict[str, str], language: str = "ja") -> tuple[FlaskClient, Any]:
    """A phone of its own opens the address and sends the form."""
    phone = shop.app.test_client()
    page = phone.get(f"{address}?lang={language}")
    assert page.status_code == 200, page.text
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    return phone, phone.post(address, data=form | {"form_token": token[1]})


def test_from_the_code_to_the_card(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    assert made["state"] == "waiting"
    assert made["qr"]["path"].startswith("M")
    state = f"/api/invitations/{made['invitation_id']}"
    phone, sent = fill_in(shop, path(made), FORM)
    assert (sent.status_code, sent.location) == (303, "/join/card")
    joined = tablet.get(state).json
    assert joined["state"] == "joined"
    code = joined["customer_id"]
    assert re.fullmatch(r"29[0-9]{11}", code)
    assert check_digit(code[:-1]) == code[-1]
    card = phone.get("/join/card")
    assert card.status_code == 200
    assert "新井 葵 様" in card.text
    assert code in card.text
    with reading(shop.engine) as session:
        customer = session.get_one(Customer, code)
        assert (customer.name, customer.kana) == ("新井 葵", "アライ アオイ")
        assert (customer.consent_profiling, customer.consent_contact) == (True, False)
        assert session.get_one(Identity, ("card", code)).customer_id == code
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.joined")).one()
        assert noted.subject_id == code
        assert noted.detail == {"store_id": "S1", "clerk_id": "C1", "device_id": noted.detail["device_id"]}
    found = tablet.get("/api/customers", query_string={"q": "あらい"}).json["customers"]
    assert [one["customer_id"] for one in found] == [code]
    assert tablet.get(f"/api/customers/{code}").json["consent"]["contact"] is False


def test_a_code_works_once(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    slow = shop.app.test_client()
    page = slow.get(path(made))
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    fill_in(shop, path(made), FORM)
    late = slow.post(path(made), data=FORM | {"name": "別の方", "form_token": token[1]})
    assert late.status_code == 404
    assert "使用済み" in late.text
    assert slow.get("/join/card").status_code == 404, "the card is for the phone that filled in the form"
    with reading(shop.engine) as session:
        assert session.scalars(select(Customer).where(Customer.name == "別の方")).all() == []


def test_a_code_runs_out(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    with writing(shop.engine) as session:
        session.execute(update(MemberInvitation).values(expires_at=NOW - timedelta(seconds=1)))
    gone = shop.app.test_client().get(path(made))
    assert gone.status_code == 404
    assert "期限が切れ" in gone.text
    assert tablet.get(f"/api/invitations/{made['invitation_id']}").json["state"] == "expired"


def test_the_clerk_sees_that_the_customer_is_typing(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    assert "会員登録" in shop.app.test_client().get(path(made)).text
    assert tablet.get(f"/api/invitations/{made['invitation_id']}").json["state"] == "opened"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "  "}, "お名前をご入力"),
        ({"kana": ""}, "フリガナをご入力"),
        ({"kana": "漢字"}, "ひらがなかカタカナ"),
        ({"profiling": ""}, "どちらかをお選び"),
        ({"contact": "maybe"}, "どちらかをお選び"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_lost(
    shop: Shop, tablet: FlaskClient, change: dict[str, str], told: str
) -> None:
    made = tablet.post("/api/invitations").json
    _, sent = fill_in(shop, path(made), FORM | change)
    assert sent.status_code == 422
    assert told in sent.text
    if "name" not in change:
        assert "新井 葵" in sent.text
    assert tablet.get(f"/api/invitations/{made['invitation_id']}").json["state"] == "opened"


def test_in_english_the_reading_may_be_left_out(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    phone, sent = fill_in(shop, path(made), FORM | {"name": "Emma Brown", "kana": ""}, language="en")
    assert sent.status_code == 303
    assert "Welcome" in phone.get("/join/card").text


def test_neither_consent_is_chosen_beforehand(shop: Shop, tablet: FlaskClient) -> None:
    page = shop.app.test_client().get(path(tablet.post("/api/invitations").json)).text
    assert page.count('type="radio"') == 4
    assert "checked" not in page


def test_who_may_invite_and_look(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    assert shop.tablet().post("/api/invitations").status_code == 401
    assert shop.app.test_client().post("/api/invitations", headers=shop.machine()).status_code == 403
    assert shop.signed_in("C9", "S2").get(f"/api/invitations/{made['invitation_id']}").status_code == 404


def test_a_form_of_a_foreign_page_and_too_many_tries_are_refused(shop: Shop, tablet: FlaskClient) -> None:
    address = path(tablet.post("/api/invitations").json)
    phone = shop.app.test_client()
    assert phone.post(address, data=FORM).status_code == 403
    for _ in range(pages.LOOKS.times):
        phone.get(f"/join/{'x' * 43}")
    assert phone.get(address).status_code == 429
    for _ in range(invitations.INVITATIONS.times):
        last = tablet.post("/api/invitations")
    assert last.status_code == 429


def test_erasure_reaches_the_invitation(shop: Shop, tablet: FlaskClient) -> None:
    made = tablet.post("/api/invitations").json
    phone, _ = fill_in(shop, path(made), FORM)
    code = tablet.get(f"/api/invitations/{made['invitation_id']}").json["customer_id"]
    with writing(shop.engine) as session:
        assert len(export_customer(session, code)["member_invitations"]) == 1
        erase_customer(session, code, actor="test", now=NOW)
    assert phone.get("/join/card").status_code == 404
    with reading(shop.engine) as session:
        assert session.scalars(select(MemberInvitation).where(MemberInvitation.customer_id == code)).all() == []


def test_the_address_can_be_another_than_the_tablets(shop: Shop, tablet: FlaskClient) -> None:
    assert tablet.post("/api/invitations").json["url"].startswith("http://localhost/join/")
    chosen = shop.app.extensions["osusume.settings"]
    web = chosen.web.model_copy(update={"public_url": "https://shop.example"})
    shop.app.extensions["osusume.settings"] = chosen.model_copy(update={"web": web})
    assert tablet.post("/api/invitations").json["url"].startswith("https://shop.example/join/")


def test_a_drawn_jan_is_the_one_of_the_standard() -> None:
    # the example of the GS1 General Specifications' figure: 4 901234 567894
    assert check_digit("490123456789") == "4"
    modules = jan_modules("4901234567894")
    assert len(modules) == 95
    assert modules[:10] == "1010001011"
    assert modules.endswith("1011100101")


def test_a_qr_code_has_its_finder_patterns_inside_a_quiet_zone() -> None:
    drawn = qr("https://shop.example/join/abc")
    assert drawn.width == drawn.height
    assert "M4 4h7v1h-7z" in drawn.path
    assert f"M{drawn.width - 11} 4h7v1h-7z" in drawn.path
