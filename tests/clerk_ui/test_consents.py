"""What a customer allows is written down at the counter, and every change can be shown later."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from journey.audit import AuditEntry
from journey.database import reading
from tests.clerk_ui.conftest import Shop


def noted(shop: Shop) -> list[tuple[str, Any]]:
    with reading(shop.engine) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.consent")).all()
    return [(one.actor, one.detail) for one in entries]


def test_one_answer_leaves_the_other_as_it_was(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    told = tablet.put("/api/customers/0001/consent", json={"contact": False})
    assert told.json == {"profiling": True, "contact": False, "may_profile": True}
    assert tablet.get("/api/customers/0001").json["consent"] == told.json
    assert noted(shop) == [("clerk:C1", {"consent_contact": [True, False]})]
    assert tablet.put("/api/customers/0001/consent", json={"contact": False}).status_code == 200
    assert len(noted(shop)) == 1


def test_taking_profiling_back_takes_effect_at_once(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    assert tablet.put("/api/customers/0001/consent", json={"profiling": False}).json["may_profile"] is False
    card = tablet.get("/api/customers/0001").json
    assert (card["web_interests"], card["frequent_products"]) == ([], [])


def test_who_may_not_and_what_cannot_be(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    assert tablet.put("/api/customers/nobody/consent", json={"contact": True}).status_code == 404
    assert tablet.put("/api/customers/0001/consent", json={"contact": "maybe"}).status_code == 422
    body = {"contact": True, "clerk_id": "C9"}
    assert tablet.put("/api/customers/0001/consent", json=body).status_code == 403
    assert shop.app.test_client().put(
        "/api/customers/0001/consent", json={"contact": True}, headers=shop.machine()
    ).status_code in (401, 403)
    assert noted(shop) == []
