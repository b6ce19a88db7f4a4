from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from journey.customers import Customer
from journey.database import reading, writing
from journey.identity import Identity
from journey.offers import Offer, StoreEvent
from journey.purchases import PosLine
from journey.visits import Order
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)


@pytest.fixture
def offering(shop: Shop) -> Shop:
    """The customer 0001 holds a coupon, has an order in each store and no app; another customer has the app."""
    with writing(shop.engine) as session:
        for order_id, store_id in (("O1", "S1"), ("O2", "S2")):
            session.add(
                Order(order_id=order_id, customer_id="0001", customer_ref="0001", store_id=store_id, ordered_at=NOW,
                      pickup_at=NOW, status="ready")
            )  # fmt: skip
        for event_id, store_id, begins, ends, category in (
            ("E1", "S1", -1, 1, "食品"), ("E2", "S2", -1, 1, None),
            ("E3", "S1", 30, 31, None), ("E4", "S1", -9, -8, None),
        ):  # fmt: skip
            session.add(
                StoreEvent(event_id=event_id, name=f"催し{event_id}", store_id=store_id, category=category,
                           starts_at=NOW + timedelta(days=begins), ends_at=NOW + timedelta(days=ends))
            )  # fmt: skip
        session.add(Identity(kind="app", value="app-9", customer_ref="x", customer_id="x", linked_at=NOW))
    return shop


def offers(client: Any, **more: Any) -> dict[str, dict[str, Any]]:
    answer = client.get("/api/customers/0001", **more)
    assert answer.status_code == 200, answer.json
    return {f"{one['kind']} {one['subject']}".strip(): one for one in answer.json["offers"]}


def change(shop: Shop, **values: Any) -> None:
    with writing(shop.engine) as session:
        customer = session.get(Customer, "0001")
        assert customer is not None
        for name, value in values.items():
            setattr(customer, name, value)


def recorded(shop: Shop) -> list[Offer]:
    with reading(shop.engine) as session:
        return list(session.scalars(select(Offer).order_by(Offer.shown_at, Offer.rank)))


def test_the_most_useful_offers_of_this_store_come_first(offering: Shop) -> None:
    tablet = offering.signed_in()
    found = offers(tablet)
    assert list(found) == ["collect O1", "coupon K1", "event E1"]  # not the other store's, nor what is over or far away
    assert [one["usefulness"] for one in found.values()] == sorted(
        (o["usefulness"] for o in found.values()), reverse=True
    )
    assert found["collect O1"]["title"] == "お受け取りのご注文があります"
    assert "100円引き" in found["coupon K1"]["talk"]
    assert found["coupon K1"]["text"].endswith("まで")
    english = offers(tablet, headers={"Accept-Language": "en"})
    assert english["coupon K1"]["title"] == "“100円引き” can be used today"


def test_what_was_shown_is_on_record_once_a_day_for_each_clerk(offering: Shop) -> None:
    tablet = offering.signed_in()
    first, again = offers(tablet), offers(tablet)
    assert {k: v["offer_id"] for k, v in first.items()} == {k: v["offer_id"] for k, v in again.items()}
    offers(offering.signed_in("C2"))
    rows = recorded(offering)
    assert [(row.clerk_id, row.kind, row.rank) for row in rows] == [
        (clerk, kind, rank) for clerk in ("C1", "C2") for rank, kind in enumerate(("collect", "coupon", "event"), 1)
    ]
    machine = offering.app.test_client()
    assert offers(machine, headers=offering.machine()) == {}
    assert len(recorded(offering)) == 6
    assert next(iter(offers(machine, headers=offering.machine(), query_string={"store_id": "S2"}))) == "collect O2"


def test_an_answer_is_kept_and_the_offer_rests(offering: Shop) -> None:
    tablet = offering.signed_in()
    offer_id = offers(tablet)["coupon K1"]["offer_id"]
    path = f"/api/offers/{offer_id}"
    declined = tablet.put(path, json={"result": "declined"})
    assert (declined.status_code, declined.json["result"], declined.json["answered_by"]) == (200, "declined", "C1")
    assert "coupon K1" not in offers(tablet)
    assert "join_app" in offers(tablet)  # the next one moves up
    late = {"result": "accepted", "occurred_at": (NOW - timedelta(minutes=3)).isoformat()}
    assert tablet.put(path, json=late).json["result"] == "declined"  # a tap of earlier that arrived later
    assert tablet.put(path, json={"result": "open"}).json["result"] is None
    assert "coupon K1" in offers(tablet)
    other_store = offering.signed_in("C9", "S2")
    assert other_store.put(path, json={"result": "accepted"}).status_code == 404
    assert tablet.put("/api/offers/none", json={"result": "accepted"}).status_code == 404
    assert tablet.put(path, json={"result": "maybe"}).status_code == 422


def test_a_redeemed_coupon_was_accepted(offering: Shop) -> None:
    tablet = offering.signed_in()
    offers(tablet)
    body = {"customer_id": "0001", "redemption_id": str(uuid.uuid4())}
    assert tablet.put("/api/coupons/K1/redemption", json=body).status_code == 201
    (coupon,) = [row for row in recorded(offering) if row.kind == "coupon"]
    assert coupon.result == "accepted"
    assert "coupon K1" not in offers(tablet)


def test_a_coupon_or_event_for_what_is_bought_is_more_useful_but_only_with_consent(offering: Shop) -> None:
    tablet = offering.signed_in()
    before = offers(tablet)["event E1"]["usefulness"]
    with writing(offering.engine) as session:
        session.add(
            PosLine(receipt_id="R", line_no=1, store_id="S1", sold_at=NOW - timedelta(days=3), local_day=1,
                    customer_id="0001", customer_ref="0001", product_id="4901234567894", quantity=1, amount=150)
        )  # fmt: skip
    assert offers(tablet)["event E1"]["usefulness"] == pytest.approx(1.6 * before, rel=1e-3)
    change(offering, consent_profiling=False)
    assert offers(tablet)["event E1"]["usefulness"] == before
    assert "coupon K1" in offers(tablet)


def test_who_refused_contact_is_not_asked_to_join_the_app(offering: Shop) -> None:
    with writing(offering.engine) as session:
        for event in session.scalars(select(StoreEvent)):
            session.delete(event)
    tablet = offering.signed_in()
    assert "join_app" in offers(tablet)
    change(offering, consent_contact=False)
    assert "join_app" not in offers(tablet)
    change(offering, consent_contact=True)
    with writing(offering.engine) as session:
        session.add(Identity(kind="app", value="app-1", customer_ref="0001", customer_id="0001", linked_at=NOW))
    assert "join_app" not in offers(tablet)


def test_the_chains_own_answers_move_the_usefulness(offering: Shop) -> None:
    tablet = offering.signed_in()
    before = offers(tablet)["coupon K1"]["usefulness"]
    with writing(offering.engine) as session:
        for number in range(60):
            session.add(
                Offer(offer_id=f"x{number}", customer_id="x", customer_ref="x", store_id="S2", clerk_id=None,
                      device_id=None, shown_at=NOW, kind="coupon", subject="K1", rank=1, usefulness=0.3,
                      result="accepted" if number < 54 else "declined", answered_at=NOW, answered_by=None)
            )  # fmt: skip
    after = offers(tablet)["coupon K1"]["usefulness"]
    assert after == pytest.approx((54 + 30 * 0.3) / 90, rel=1e-3)
    assert after > before


def test_an_offer_that_nobody_answers_wears_out(offering: Shop) -> None:
    with writing(offering.engine) as session:
        for days in range(1, 5):
            for kind, subject in (("coupon", "K1"), ("collect", "O1")):
                session.add(
                    Offer(offer_id=f"{kind}{days}", customer_id="0001", customer_ref="0001", store_id="S1",
                          clerk_id=None, device_id=None, shown_at=NOW - timedelta(days=days), kind=kind,
                          subject=subject, rank=1, usefulness=0.3, result=None, answered_at=None, answered_by=None)
                )  # fmt: skip
    found = offers(offering.signed_in())
    assert "coupon K1" not in found
    assert "collect O1" in found
