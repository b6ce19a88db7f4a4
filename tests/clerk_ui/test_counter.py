from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from sqlalchemy import select

from journey.coupons import CouponGrant
from journey.database import reading, writing
from journey.outcomes import Confirmation
from journey.shelf import check_digit_fits
from journey.suggestions import ClerkTarget, Dismissal
from tests.clerk_ui.conftest import Shop, sign_in
from tests.clerk_ui.test_outcomes import path, tap

TEA = "4901234567894"
TODAY = datetime.now(ZoneInfo("Asia/Tokyo")).date()


def test_products_are_found_by_barcode_and_name(shop: Shop) -> None:
    tablet = shop.signed_in()

    def ids(typed: str) -> list[str]:
        answer = tablet.get("/api/products", query_string={"q": typed})
        return [product["product_id"] for product in answer.json["products"]]

    assert ids(TEA) == ids(f" {TEA[:4]}-{TEA[4:]} ") == ids("緑茶") == [TEA]
    assert ids("ミドリ") == ids("みどり") == ids("ﾐﾄﾞﾘ") == [TEA, "4901234567900"]  # the brand, in any kana
    assert ids("4900000000017") == ids("") == []
    product = tablet.get(f"/api/products/{TEA}").json
    assert (product["price"], product["stock"]["here"]) == (150, 0)
    assert [(place["name"], place["quantity"]) for place in product["stock"]["nearby"]] == [("渋谷店", 7)]
    assert tablet.get("/api/products/4901234567900").json["stock"]["here"] is None
    missing = tablet.get("/api/products/none")
    assert (missing.status_code, missing.json["where"]) == (404, "product_id")


def test_check_digits() -> None:
    assert check_digit_fits("4901234567894")
    assert check_digit_fits("49012347")
    assert check_digit_fits("036000291452")
    assert not check_digit_fits("4901234567895")
    assert not check_digit_fits("123")


def test_a_dismissal_is_kept_once_under_who_made_it(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    sign_in(tablet, "C2")
    body = {"dismissal_id": str(uuid.uuid4()), "customer_id": "0001", "product_id": TEA, "clerk_id": "C1"}
    assert tablet.post("/api/dismissals", json=body).status_code == 201
    assert tablet.post("/api/dismissals", json=body).status_code == 200
    assert tablet.post("/api/dismissals", json=body | {"why": "allergy"}).status_code == 409
    assert tablet.post("/api/dismissals", json=body | {"product_id": "none"}).status_code == 404
    with reading(shop.engine) as session:
        assert [kept.clerk_id for kept in session.scalars(select(Dismissal))] == ["C1"]


def test_a_follow_up_comes_back_as_a_task_until_done(shop: Shop) -> None:
    tablet, where = shop.signed_in("C1"), f"/api/follow-ups/{uuid.uuid4()}"
    body = {"customer_id": "0001", "suggestion_id": "sug-0", "due_on": TODAY.isoformat(), "text": "緑茶"}
    assert tablet.put(where, json=body).status_code == 201
    assert tablet.put(where, json=body | {"text": "お茶"}).status_code == 200
    (task,) = tablet.get("/api/me/day").json["follow_ups"]
    assert (task["customer_name"], task["text"]) == ("山田 太郎", "お茶")
    sign_in(tablet, "C2")
    assert tablet.get("/api/me/day").json["follow_ups"] == []  # each sees only their own
    sign_in(tablet, "C1")
    for _ in range(2):
        assert tablet.post(f"{where}/done").json["done_at"]
    assert tablet.get("/api/me/day").json["follow_ups"] == []
    other = shop.signed_in("C9", "S2")
    assert other.post(f"{where}/done").status_code == 404
    assert other.put(where, json=body).status_code == 404


def test_my_day_counts_only_what_is_mine(shop: Shop) -> None:
    now = datetime.now(UTC)
    with writing(shop.engine) as session:
        for campaign, stores in (("F1", "S1|S3"), ("F2", "S2"), ("F3", None)):
            session.add(
                ClerkTarget(
                    campaign_id=campaign, name=campaign, starts_on=TODAY, ends_on=TODAY,
                    product_id=TEA, category=None, stores=stores,
                )
            )  # fmt: skip
        session.add(Confirmation(suggestion_id="sug-0", receipt_id="R", line_no=1, sold_at=now, first_purchase=True))
    tablet = shop.signed_in("C1")
    for suggestion_id, clerk_id, result in (
        ("sug-0", "C1", "bought"),
        ("sug-1", "C1", "declined"),
        ("sug-2", "C2", "bought"),
    ):
        assert tablet.put(path(), json=tap(suggestion_id, clerk_id=clerk_id, result=result)).status_code == 201
    mine = tablet.get("/api/me/day").json
    expected = {"customers": 1, "proposed": 2, "accepted": 1, "considering": 0, "declined": 1, "confirmed": 1}
    assert {name: mine["figures"][name] for name in expected} == expected
    assert mine["figures"]["shown"] == 4  # of which one in the other store: shown by this clerk all the same
    assert mine["last_28_days"]["proposed"] == 2
    assert {(one["suggestion_id"], one["confirmed"]) for one in mine["outcomes"]} == {("sug-0", True), ("sug-1", False)}
    assert [focus["campaign_id"] for focus in mine["focus"]] == ["F1", "F3"]
    sign_in(tablet, "C2")
    assert tablet.get("/api/me/day").json["figures"]["proposed"] == 1


def test_a_coupon_is_redeemed_once_however_many_try(shop: Shop) -> None:
    tablets = [shop.signed_in("C1") for _ in range(4)]

    def redeem(tablet: FlaskClient) -> int:
        body = {"customer_id": "0001", "redemption_id": str(uuid.uuid4())}
        return tablet.put("/api/coupons/K1/redemption", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(redeem, tablets)) == [201, 409, 409, 409]
    with reading(shop.engine) as session:
        (grant,) = session.scalars(select(CouponGrant))
        assert (grant.redeemed_channel, grant.redeemed_store_id, grant.redeemed_by) == ("store", "S1", "C1")
    refused = tablets[0].put("/api/coupons/K1/redemption", json={"customer_id": "0001"})
    assert (refused.json["type"], refused.json["redeemed_channel"]) == ("urn:osusume:problem:redeemed", "store")
    assert tablets[0].get("/api/customers/0001").json["coupons"] == []


def test_a_redemption_that_is_sent_again_is_the_same_one(shop: Shop) -> None:
    tablet, at = shop.signed_in(), datetime.now(UTC).isoformat()
    body = {"customer_id": "0001", "redeemed_at": at}
    assert tablet.put("/api/coupons/K1/redemption", json=body).status_code == 201
    assert tablet.put("/api/coupons/K1/redemption", json=body).status_code == 200
    assert tablet.put("/api/coupons/none/redemption", json=body).status_code == 404
    assert tablet.put("/api/coupons/K1/redemption", json=body | {"customer_id": "none"}).status_code == 404


def test_coupons_keep_their_time_and_channel(shop: Shop) -> None:
    tablet, late = shop.signed_in(), (datetime.now(UTC) - timedelta(days=30)).isoformat()
    early = tablet.put("/api/coupons/K1/redemption", json={"customer_id": "0001", "redeemed_at": late})
    assert (early.status_code, early.json["type"]) == (422, "urn:osusume:problem:coupon-not-valid")
    app = {"customer_id": "0001", "channel": "app"}
    assert tablet.put("/api/coupons/K1/redemption", json=app).status_code == 422


def test_acts_need_an_author(shop: Shop) -> None:
    tablet = shop.tablet()
    note = {"note_id": str(uuid.uuid4()), "text": "x"}
    assert tablet.post("/api/customers/0001/notes", json=note).json["type"] == "urn:osusume:problem:signed-out"
    assert tablet.post("/api/customers/0001/notes", json=note | {"clerk_id": "C1"}).status_code == 403
    machine = shop.app.test_client()
    assert machine.post("/api/customers/0001/notes", json=note, headers=shop.machine()).status_code == 422
    assert (
        machine.post("/api/customers/0001/notes", json=note | {"clerk_id": "C1"}, headers=shop.machine()).status_code
        == 201
    )
