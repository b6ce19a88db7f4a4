"""Whatever is sent, the answer is a problem that names what is wrong: never a defect, never a half stored row."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

from flask.testing import FlaskClient

from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_suggestions import served

__all__ = ["served"]
ODD: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, -(10**30), "", " ", "\x00", "a\x00b", "\ud800", "🍙", "x" * 65, "x" * 5000, "%_\\",
    "' OR 1=1 --", "NaN", "1e400", [], [1], {}, {"a": 1}, "9999-12-31T23:59:59.999999+00:00",
    "0001-01-01T00:00:00+14:00", "2026-11-23", "2026-02-30T00:00:00Z", "١٢٣٤",
]  # fmt: skip
PATHS = ["nobody", "a%00b", "%FF%FE", "🍙", "x" * 300, "..%2f..", "%27", "%5C", "%25", "\ud800"]


def no_defect(answer: Any, what: object) -> None:
    assert answer.status_code < 500, (what, answer.text)
    if answer.status_code >= 400:
        assert answer.mimetype == "application/problem+json", (what, answer.text)


def send(client: FlaskClient, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    return client.open(path, method=method, data=json.dumps(body), content_type="application/json", headers=headers)


def valid(shop: Shop) -> list[tuple[str, str, dict[str, Any]]]:
    at, tea = "2026-11-20T10:00:00Z", "4901234567894"
    return [
        ("POST", "/api/customers/A/suggestions",
         {"store_id": "S1", "clerk_id": "C1", "k": 5, "kind": "all", "seen_products": ["P1"], "basket": ["P2"]}),
        ("POST", "/api/products/P1/suggestions", {"store_id": "S1", "k": 3}),
        ("PUT", f"/api/outcomes/{uuid.uuid4()}",
         {"suggestion_id": "sug-0", "clerk_id": "C1", "result": "bought", "why": "x", "occurred_at": at,
          "sent_at": at}),
        ("POST", "/api/customers/0001/notes", {"note_id": str(uuid.uuid4()), "text": "x", "clerk_id": "C1"}),
        ("POST", "/api/dismissals",
         {"dismissal_id": str(uuid.uuid4()), "customer_id": "0001", "product_id": tea, "clerk_id": "C1", "why": "x",
          "until": at}),
        ("PUT", f"/api/follow-ups/{uuid.uuid4()}",
         {"customer_id": "0001", "due_on": "2026-11-30", "text": "x", "suggestion_id": "sug-0", "done": False}),
        ("PUT", "/api/coupons/K1/redemption",
         {"customer_id": "0001", "redeemed_at": at, "redemption_id": str(uuid.uuid4()), "channel": "store"}),
        ("POST", "/api/session", {"account_id": "C1", "pin": "2580"}),
        ("POST", "/api/devices/enrolment", {"code": "ABCD-EFGH"}),
    ]  # fmt: skip


def test_odd_values_in_every_field(served: Shop) -> None:
    tablet, machine, chance = served.signed_in(), served.app.test_client(), random.Random(3)
    for method, path, body in valid(served):
        for field in body:
            for odd in chance.sample(ODD, 9):
                what = (method, path, field, odd)
                no_defect(send(tablet, method, path, body | {field: odd}, {}), what)
                no_defect(send(machine, method, path, body | {field: odd}, served.machine()), what)
        for odd in chance.sample(ODD, 5):
            no_defect(send(machine, method, path, odd, served.machine()), (path, odd))


def test_odd_rows_are_kept_out(served: Shop) -> None:
    machine, chance = served.app.test_client(), random.Random(7)
    at = "2026-11-20T10:00:00Z"
    rows: dict[str, tuple[str, dict[str, Any]]] = {
        "events": ("/api/events", {"event_id": "E", "occurred_at": at, "visitor_id": "V", "kind": "view", "query": "x",
                                   "product_id": "P1", "customer_id": "A", "page": "/"}),
        "pos_lines": ("/api/pos-lines", {"receipt_id": "R", "line_no": 1, "store_id": "S1", "sold_at": at,
                                         "quantity": 1, "product_id": "P1", "amount": 5, "discount": 1,
                                         "customer_id": "A", "card_no": "1"}),
        "checkins": ("/api/checkins", {"visit_id": "W", "store_id": "S1", "customer_id": "A", "arrived_at": at}),
        "answers": ("/api/answers", {"response_id": "Q", "question": "nps", "survey_id": "V", "answered_at": at,
                                     "score": 9, "comment": "x"}),
        "traffic": ("/api/traffic", {"store_id": "S1", "starts_at": at, "minutes": 15, "entered": 1}),
        "stock": ("/api/stock", {"store_id": "S1", "product_id": "P1", "quantity": 4, "as_of": at}),
    }  # fmt: skip
    for key, (path, row) in rows.items():
        writable = [odd for odd in ODD if odd != "\ud800"]  # JSON with it is no JSON and refused whole
        batch = [row | {field: odd} for field in row for odd in writable]
        chance.shuffle(batch)
        for start in range(0, len(batch), 60):
            answer = send(machine, "POST", path, {key: [*batch[start : start + 60], *writable]}, served.machine())
            no_defect(answer, (path, start))
            assert answer.status_code == 200, answer.text
        alone = send(machine, "POST", path, {key: [row | {"note": "unknown"}]}, served.machine())
        assert alone.json["unknown_columns"] == ["note"]


def test_odd_paths_and_searches(served: Shop) -> None:
    tablet = served.signed_in()
    for odd in PATHS:
        for method, path in (
            ("GET", "/api/customers/{}"), ("GET", "/api/products/{}"), ("POST", "/api/customers/{}/suggestions"),
            ("POST", "/api/products/{}/suggestions"), ("DELETE", "/api/outcomes/{}"), ("PUT", "/api/outcomes/{}"),
            ("PUT", "/api/follow-ups/{}"), ("POST", "/api/follow-ups/{}/done"), ("PUT", "/api/coupons/{}/redemption"),
            ("GET", "/api/customers?q={}"), ("GET", "/api/products?q={}"), ("GET", "/{}"), ("GET", "/static/{}"),
        ):  # fmt: skip
            try:
                answer = send(tablet, method, path.format(odd), {}, {})
            except UnicodeEncodeError:
                continue  # a client cannot send it
            no_defect(answer, (method, path, odd))
            assert answer.status_code != 201
