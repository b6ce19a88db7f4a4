"""One person over channels: links after log-in, coupons granted here and used there, orders in the store's list."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, select

from journey.audit import AuditEntry
from journey.coupon_grants import grant
from journey.coupons import Coupon, CouponGrant
from journey.customers import Customer
from journey.database import reading, writing
from journey.errors import Conflict
from journey.identity import Identity
from journey.identity_review import IdentityClaim
from journey.redemptions import Redemption, redeem
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)
COOKIE = "b." + "c" * 22
AT_ONCE = 8


@pytest.fixture
def shop(shop: Shop) -> Shop:
    with writing(shop.engine) as session:
        session.add(Customer(customer_id="0002", name="山田 花子"))
        session.add(
            WebEvent(event_id="E1", occurred_at=NOW, visitor_id=COOKIE, kind="view", product_id="4901234567894")
        )
        session.add(
            Coupon(coupon_id="NEW", name="300円引き", kind="amount", value=Decimal(300), channels="store|ec",
                   valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=7))
        )  # fmt: skip
        session.add(Coupon(coupon_id="OVER", name="終了", valid_until=NOW - timedelta(days=1)))
    return shop


def post(shop: Shop, path: str, body: dict[str, Any]) -> Any:
    return shop.app.test_client().post(path, json=body, headers=shop.machine())


def test_a_log_in_links_the_cookie_and_its_past_once(shop: Shop) -> None:
    wish = {"kind": "cookie", "value": COOKIE, "customer_id": "0001"}
    first, again = post(shop, "/api/links", wish), post(shop, "/api/links", wish)
    assert (first.status_code, first.json) == (201, {"kind": "cookie", "customer_id": "0001", "facts": 1})
    assert (again.status_code, again.json["facts"]) == (200, 0)
    with reading(shop.engine) as session:
        assert session.scalars(select(WebEvent.customer_id)).all() == ["0001"]
        actors = session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "customer.linked")).all()
    assert [actor.split(":")[0] for actor in actors] == ["key"]


def test_a_familys_tablet_is_not_moved_but_both_are_remembered(shop: Shop) -> None:
    post(shop, "/api/links", {"kind": "cookie", "value": COOKIE, "customer_id": "0001"})
    for _ in range(2):
        refused = post(shop, "/api/links", {"kind": "cookie", "value": COOKIE, "customer_id": "0002"})
        assert (refused.status_code, refused.json["type"]) == (409, "urn:osusume:problem:conflict")
    with reading(shop.engine) as session:
        assert session.scalars(select(Identity.customer_id).where(Identity.value == COOKIE)).all() == ["0001"]
        claim = session.scalars(select(IdentityClaim)).one()
    assert (claim.value, claim.customer_id, claim.times) == (COOKIE, "0002", 2)


def test_a_tablet_links_a_scanned_app_code_and_nothing_a_clerk_cannot_hold(shop: Shop) -> None:
    tablet = shop.signed_in()
    made = tablet.post("/api/links", json={"kind": "app", "value": "app-77", "customer_id": "0001"})
    assert made.status_code == 201, made.json
    for kind in ("cookie", "email_hash"):
        refused = tablet.post("/api/links", json={"kind": kind, "value": "x", "customer_id": "0001"})
        assert refused.status_code == 403
    assert post(shop, "/api/links", {"kind": "cookie", "value": "x", "customer_id": "nobody"}).status_code == 404
    assert shop.app.test_client().post("/api/links", json={}).status_code == 401


@pytest.mark.parametrize(("granted", "used"), [("store", "ec"), ("ec", "store"), ("app", "store")])
def test_a_coupon_granted_here_is_used_there_once(shop: Shop, granted: str, used: str) -> None:
    made = post(shop, "/api/coupons/NEW/grants", {"customer_id": "0002", "channel": granted})
    assert (made.status_code, made.json["channel"]) == (201, granted)
    assert post(shop, "/api/coupons/NEW/grants", {"customer_id": "0002", "channel": "app"}).status_code == 200
    held = shop.app.test_client().get("/api/customers/0002/coupons", headers=shop.machine()).json["coupons"]
    assert [(coupon["coupon_id"], coupon["channel"]) for coupon in held] == [("NEW", granted)]

    wish = {"customer_id": "0002", "channel": used, "redemption_id": str(uuid.uuid4())}
    path = "/api/coupons/NEW/redemptions"
    assert [post(shop, path, wish).status_code for _ in range(2)] == [201, 200]
    other = post(shop, path, wish | {"redemption_id": str(uuid.uuid4()), "channel": "store"})
    assert (other.status_code, other.json["redeemed_channel"]) == (409, used)
    assert shop.app.test_client().get("/api/customers/0002/coupons", headers=shop.machine()).json["coupons"] == []


def test_what_cannot_be_granted_or_redeemed_says_why(shop: Shop) -> None:
    assert post(shop, "/api/coupons/OVER/grants", {"customer_id": "0001"}).json["type"].endswith("coupon-not-valid")
    assert post(shop, "/api/coupons/none/grants", {"customer_id": "0001"}).status_code == 404
    assert post(shop, "/api/coupons/NEW/grants", {"customer_id": "nobody"}).status_code == 404
    post(shop, "/api/coupons/NEW/grants", {"customer_id": "0001"})
    wish = {"customer_id": "0001", "redemption_id": str(uuid.uuid4())}
    assert post(shop, "/api/coupons/NEW/redemptions", wish | {"channel": "app"}).json["where"] == "channel"
    assert post(shop, "/api/coupons/NEW/redemptions", {"customer_id": "0001"}).status_code == 422


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """All acts at the same moment, each in a thread of its own; what they answered or raised."""
    ready, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int) -> None:
        ready.wait()
        try:
            results[place] = acts[place]()
        except Conflict as refused:
            results[place] = refused  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_of_many_tills_at_one_moment_one_redeems(shop: Shop, engine: Engine) -> None:
    with writing(engine) as session:
        grant(session, "NEW", "0001", channel="ec", now=NOW)

    def till(number: int) -> Callable[[], bool]:
        def act() -> bool:
            wish = Redemption(f"redemption-{number}", "NEW", "0001", NOW, ("store", "ec")[number % 2], "S1")
            with writing(engine) as session:
                return redeem(session, wish)[1]

        return act

    results = at_once([till(number) for number in range(AT_ONCE)])
    assert results.count(True) == 1
    assert sum(isinstance(result, Conflict) for result in results) == AT_ONCE - 1
    with reading(engine) as session:
        given = session.scalars(select(CouponGrant).where(CouponGrant.coupon_id == "NEW")).one()
    assert given.redemption_id == f"redemption-{results.index(True)}"


def test_of_many_channels_at_one_moment_one_grants(shop: Shop, engine: Engine) -> None:
    def channel() -> bool:
        with writing(engine) as session:
            return grant(session, "NEW", "0002", channel="app", now=NOW)[1]

    results = at_once([channel] * AT_ONCE)
    assert (results.count(True), results.count(False)) == (1, AT_ONCE - 1)


def test_a_mobile_order_stands_in_the_stores_list_with_its_visiting_time_until_it_is_closed(shop: Shop) -> None:
    visit = (NOW + timedelta(minutes=1)).isoformat()
    order = {"order_id": "M1", "customer_id": "0001", "store_id": "S1", "ordered_at": NOW.isoformat(),
             "pickup_at": visit, "status": "ordered"}  # fmt: skip
    assert post(shop, "/api/orders", {"orders": [order]}).json["inserted"] == 1
    assert post(shop, "/api/orders", {"orders": [order]}).json["unchanged"] == 1
    tablet, other = shop.signed_in(), shop.signed_in("C9", "S2")

    def listed(tablet: Any) -> list[tuple[str, str]]:
        return [(one["order_id"], one["status"]) for one in tablet.get("/api/expected").json["expected"]]

    assert listed(tablet) == [("M1", "ordered")]
    assert listed(other) == []
    assert post(shop, "/api/orders", {"orders": [order | {"status": "ready"}]}).json["updated"] == 1
    assert listed(tablet) == [("M1", "ready")]
    post(shop, "/api/orders", {"orders": [order | {"status": "collected"}]})
    assert listed(tablet) == []


def test_an_appointment_for_today_stands_there_too(shop: Shop) -> None:
    visit = {"visit_id": "A1", "store_id": "S1", "customer_id": "0001", "source": "appointment",
             "arrived_at": NOW.isoformat()}  # fmt: skip
    assert post(shop, "/api/checkins", {"checkins": [visit]}).json["inserted"] == 1
    found = shop.signed_in().get("/api/expected").json["expected"]
    assert [(one["source"], one["customer_id"]) for one in found] == [("appointment", "0001")]
