"""What a customer does on the web is known at the counter with the next set, also where one was made ahead."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from journey.customers import Customer
from journey.database import reading, writing
from journey.identity import Identity
from journey.suggestions import Suggestion
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_suggestions import ask, served

__all__ = ["served"]


def tell(shop: Shop, **event: Any) -> None:
    """One event of the customer A, as the web shop sends it."""
    row = {"event_id": str(uuid.uuid4()), "occurred_at": datetime.now(UTC).isoformat(), "visitor_id": "cookie"}
    body = {"events": [row | {"customer_id": "A"} | event]}
    answer = shop.app.test_client().post("/api/events", json=body, headers=shop.machine())
    assert (answer.status_code, answer.json["inserted"]) == (200, 1), answer.json


def arrive(shop: Shop) -> None:
    arrival = {"visit_id": "W1", "store_id": "S1", "customer_id": "A", "arrived_at": datetime.now(UTC).isoformat()}
    answer = shop.app.test_client().post("/api/checkins", json={"checkins": [arrival]}, headers=shop.machine())
    assert answer.json["inserted"] == 1


def shown(shop: Shop, **more: Any) -> dict[str, dict[str, Any]]:
    return {one["product"]["product_id"]: one for one in ask(shop, **more).json}


def ground(shop: Shop, suggestion: dict[str, Any]) -> str:
    with reading(shop.engine) as session:
        chosen = select(Suggestion.evidence).where(Suggestion.suggestion_id == suggestion["suggestion_id"])
        return str((session.scalar(chosen) or {})["ground"])


@pytest.mark.parametrize("ahead", [False, True], ids=["live", "made ahead"])
@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"kind": "view", "product_id": "P9"}, "viewed_itself"),
        ({"kind": "search", "query": "商品9"}, "searched"),
        ({"kind": "cart", "product_id": "P9"}, "carted"),
        ({"kind": "favorite", "product_id": "P9"}, "favorited"),
    ],
)
def test_the_next_set_heeds_it(served: Shop, event: dict[str, Any], told: str, ahead: bool) -> None:
    if ahead:
        arrive(served)
    before = shown(served, k=5)
    assert "P9" not in before
    tell(served, **event)
    after = shown(served, k=5 if event["kind"] != "search" else 8)
    assert "P9" in after
    assert ground(served, after["P9"]) == told


def test_a_set_made_ahead_after_the_view_heeds_it_too(served: Shop) -> None:
    tell(served, kind="cart", product_id="P9")
    arrive(served)
    assert "P9" in shown(served)
    tell(served, kind="purchase", product_id="P9")
    assert "P9" not in shown(served), "bought on the web meanwhile"


def test_a_cookie_that_log_in_links_brings_its_views(served: Shop) -> None:
    tell(served, kind="cart", product_id="P9", customer_id=None, visitor_id="phone")
    assert "P9" not in shown(served)
    link = {"kind": "cookie", "value": "phone", "customer_ref": "A", "customer_id": "A", "linked_at": datetime.now(UTC)}
    with writing(served.engine) as session:
        session.add(Identity(**link))
    tell(served, kind="view", product_id="P8", customer_id=None, visitor_id="phone")
    assert shown(served)["P8"], "what comes after the link is the customer's"


def test_without_consent_the_web_is_not_known_at_the_counter(served: Shop) -> None:
    tell(served, kind="cart", product_id="P9")
    with writing(served.engine) as session:
        customer = session.get(Customer, "A")
        assert customer is not None
        customer.consent_profiling = False
    found = shown(served, k=8)
    assert {ground(served, one) for one in found.values()} <= {"popular", "popular_here"}


def test_old_interest_is_not_news(served: Shop) -> None:
    before = list(shown(served))
    tell(served, kind="cart", product_id="P9", occurred_at=(datetime.now(UTC) - timedelta(days=20)).isoformat())
    assert list(shown(served)) == before


def test_the_item_path_goes_with_what_is_in_hand(served: Shop) -> None:
    answer = ask(served, "/api/products/P0/suggestions", k=2)
    assert [one["product"]["product_id"] for one in answer.json] == ["P4", "P9"]
    assert ground(served, answer.json[0]) == "in_hand"
    seen = ask(served, "/api/products/P4/suggestions", k=3, seen_products=["P8"])
    assert "P9" in [one["product"]["product_id"] for one in seen.json], "P8 was looked at with P9"
