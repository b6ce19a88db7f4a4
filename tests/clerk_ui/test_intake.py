from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from journey.api_keys import add_key
from journey.database import reading, writing
from journey.intake.ledger import QuarantinedRow
from journey.products import Stock
from journey.purchases import PosLine
from journey.visits import Visit
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_suggestions import ask, served

__all__ = ["served"]
TEA = "4901234567894"


def send(shop: Shop, path: str, body: Any, key: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {key or shop.key}"}
    return shop.app.test_client().post(path, json=body, headers=headers)


def event(number: int, **more: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    return {"event_id": f"E{number}", "occurred_at": at, "visitor_id": "V", "kind": "view", "product_id": TEA} | more


def test_events_are_stored_once_and_bad_rows_are_named(shop: Shop) -> None:
    rows = [event(0), event(1, kind="dance"), event(2, occurred_at="yesterday"), "no row", event(3, customer_id="0001")]
    answer = send(shop, "/api/events", {"events": rows})
    assert answer.status_code == 200, answer.json
    assert (answer.json["read"], answer.json["inserted"]) == (5, 2)
    assert [kept["index"] for kept in answer.json["kept_out"]] == [1, 2, 3]
    assert all(kept["reason"] for kept in answer.json["kept_out"])
    again = send(shop, "/api/events", {"events": rows})
    assert (again.json["inserted"], again.json["unchanged"]) == (0, 2)
    changed = send(shop, "/api/events", {"events": [rows[0] | {"kind": "cart"}]})
    assert changed.json["kept_out"][0]["kind"] == "conflict"
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(WebEvent)) == 2
        assert set(session.scalars(select(QuarantinedRow.file))) == {"/api/events"}


def test_events_that_come_together_are_each_stored_and_answered(shop: Shop) -> None:
    events = [event(number) for number in range(13)]

    def machine(first: int) -> list[Any]:
        return [send(shop, "/api/events", {"events": [one]}).json for one in events[first : first + 2]]

    with ThreadPoolExecutor(6) as machines:  # every event but the outermost is sent by two of them
        told = [answer for answers in machines.map(machine, range(12)) for answer in answers]
    assert sum(answer["inserted"] for answer in told) == 13
    assert sum(answer["unchanged"] for answer in told) == 11
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(WebEvent)) == 13


def test_too_many_at_once_are_refused_whole(shop: Shop) -> None:
    answer = send(shop, "/api/events", {"events": [event(number) for number in range(2000)]})
    assert (answer.status_code, answer.json["type"]) == (413, "urn:osusume:problem:too-many-rows")
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(WebEvent)) == 0
    assert send(shop, "/api/events", {"events": [event(number) for number in range(1000)]}).json["inserted"] == 1000


def test_what_is_no_batch_of_rows_is_refused(shop: Shop) -> None:
    client, headers = shop.app.test_client(), shop.machine()
    assert client.post("/api/events", data="{", headers=headers).status_code == 400
    assert client.post("/api/events", data=b"\xff\xfe", headers=headers).status_code == 400
    assert client.post("/api/events", data="[" * 100_000, headers=headers).status_code == 400
    for body in ({}, {"rows": []}, {"events": {}}, {"events": "x"}, []):
        assert send(shop, "/api/events", body).status_code == 422, body
    assert send(shop, "/api/events", {"events": []}).json["read"] == 0
    assert send(shop, "/api/events", {"events": [{}]}).json["kept_out"]
    big = client.post("/api/events", data=b"[" + b" " * 5_000_000, headers=headers)
    assert (big.status_code, big.json["type"]) == (413, "urn:osusume:problem:too-large")
    assert client.post("/api/events", json={"events": []}).status_code == 401
    assert shop.signed_in().post("/api/events", json={"events": []}).status_code in {200, 403}


def test_an_event_changes_the_next_set_at_once(served: Shop) -> None:
    before = [one["product"]["product_id"] for one in ask(served, k=3).json]
    assert "P9" not in before
    cart = event(1, customer_id="A", product_id="P9", kind="cart")
    assert send(served, "/api/events", {"events": [cart]}).json["inserted"] == 1
    after = ask(served, k=3).json
    assert "P9" in [one["product"]["product_id"] for one in after]


def test_till_lines_keep_leading_zeros_and_tell_what_is_wrong(shop: Shop) -> None:
    line = {
        "receipt_id": "007", "line_no": 1, "store_id": "S1", "sold_at": "2026-11-20T10:00:00", "product_id": TEA,
        "quantity": 1, "amount": 150, "customer_id": "0001",
    }  # fmt: skip
    answer = send(shop, "/api/pos-lines", {"pos_lines": [line, line | {"line_no": 2, "quantity": 0}]})
    assert (answer.json["inserted"], [kept["index"] for kept in answer.json["kept_out"]]) == (1, [1])
    assert send(shop, "/api/pos-lines", {"pos_lines": [line]}).json["unchanged"] == 1
    with reading(shop.engine) as session:
        (kept,) = session.scalars(select(PosLine))
        assert (kept.receipt_id, kept.customer_id) == ("007", "0001")
        assert kept.sold_at == datetime(2026, 11, 20, 1, tzinfo=UTC)  # local to the store


def test_who_checks_in_is_expected_with_suggestions_made_ahead(served: Shop) -> None:
    arrival = {"visit_id": "W1", "store_id": "S1", "customer_id": "A", "arrived_at": datetime.now(UTC).isoformat()}
    answer = send(served, "/api/checkins", {"checkins": [arrival]})
    assert answer.json["inserted"] == 1, answer.json
    online = served.app.extensions["osusume.recommender"].online
    assert online.read("A", "S1").ahead
    with reading(served.engine) as session:
        assert session.scalar(select(Visit.source)) == "checkin"
    tablet = served.signed_in()
    assert [one["customer_id"] for one in tablet.get("/api/expected").json["expected"]] == ["A"]
    assert len(tablet.post("/api/customers/A/suggestions", json={}).json) == 5


@pytest.mark.parametrize(
    ("path", "key", "row"),
    [
        ("/api/answers", "answers", {"response_id": "Q", "question": "nps", "survey_id": "V", "score": 9,
                                     "answered_at": "2026-11-20T10:00:00Z"}),
        ("/api/traffic", "traffic", {"store_id": "S1", "starts_at": "2026-11-20T10:00", "minutes": 15, "entered": 4}),
        ("/api/stock", "stock", {"store_id": "S1", "product_id": TEA, "quantity": 4, "as_of": "2100-01-01T00:00Z"}),
    ],
)  # fmt: skip
def test_answers_counts_and_stock(shop: Shop, path: str, key: str, row: dict[str, Any]) -> None:
    answer = send(shop, path, {key: [row]})
    assert answer.status_code == 200, answer.json
    assert answer.json["inserted"] + answer.json["updated"] == 1, answer.json
    with reading(shop.engine) as session:
        stock = session.get(Stock, ("S1", TEA))
        assert stock is not None
        assert stock.quantity == (4 if key == "stock" else 0)


def test_a_key_brings_only_what_its_scopes_allow(shop: Shop) -> None:
    with writing(shop.engine) as session:
        _, till = add_key(session, name="till", scopes=["pos-lines"], now=datetime.now(UTC))
    assert send(shop, "/api/pos-lines", {"pos_lines": []}, till).status_code == 200
    refused = send(shop, "/api/events", {"events": []}, till)
    assert (refused.status_code, refused.json["scope"]) == (403, "events")
