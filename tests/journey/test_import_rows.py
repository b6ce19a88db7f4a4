from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy import event as listen
from sqlalchemy.orm import Session

from journey.database import writing
from journey.errors import InputError, NotFound, TooMany
from journey.intake.rows import RowsTaken, import_rows
from journey.web import WebEvent
from tests.journey.extracts import NOW, rows_of


def take(engine: Engine, table: str, rows: Any, **more: Any) -> RowsTaken:
    with writing(engine) as session:
        return import_rows(session, table, rows, source=f"/api/{table}", now=NOW, **more)


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"event_id": f"E{number}", "occurred_at": "2026-01-05T10:00:00+09:00", "visitor_id": "V1", "kind": "view",
            "product_id": "0001"} | more  # fmt: skip


def test_events_are_stored_once_and_bad_ones_answered_row_by_row(engine: Engine) -> None:
    rows = [
        event(0),
        event(1, kind="glance"),
        "not a row",
        event(0),
        event(2, occurred_at=None),
        event(3, colour="red"),
    ]
    taken = take(engine, "web_events", rows)
    assert (taken.read, taken.inserted, taken.unchanged) == (6, 2, 1)
    assert [(row.index, row.kind) for row in taken.kept_out] == [(1, "bad"), (2, "bad"), (4, "bad")]
    assert taken.kept_out[2].reason == "occurred_at is missing"
    assert taken.unknown_columns == ["colour"]
    assert rows_of(engine, "SELECT event_id, product_id FROM web_events ORDER BY 1") == [("E0", "0001"), ("E3", "0001")]
    again = take(engine, "web_events", rows)
    assert (again.inserted, again.unchanged) == (0, 3)
    assert rows_of(engine, "SELECT count(*), min(file) FROM quarantine") == [(3, "/api/web_events")]


def test_other_content_under_a_known_id_is_a_conflict(engine: Engine) -> None:
    take(engine, "web_events", [event(1)])
    taken = take(engine, "web_events", [event(1, kind="cart"), event(2)], keep_rejected=False)
    assert [(row.index, row.kind) for row in taken.kept_out] == [(0, "conflict")]
    assert rows_of(engine, "SELECT event_id, kind FROM web_events ORDER BY 1") == [("E1", "view"), ("E2", "view")]
    assert rows_of(engine, "SELECT count(*) FROM quarantine") == [(0,)]


def test_json_numbers_and_booleans_are_read_like_cells(engine: Engine) -> None:
    sale = {"receipt_id": 17, "line_no": 1, "store_id": "S", "sold_at": "2026-01-05T00:10:00", "product_id": 4900001.0,
            "quantity": -1, "amount": -98.5, "customer_id": "C"}  # fmt: skip
    assert take(engine, "pos_lines", [sale]).inserted == 1
    stored = "receipt_id, product_id, quantity, amount, customer_id, local_day"
    assert rows_of(engine, f"SELECT {stored} FROM pos_lines") == [("17", "4900001", -1.0, -985000, "C", 20458)]
    assert rows_of(engine, "SELECT store_id, stub FROM stores") == [("S", True)]


def test_stock_traffic_and_answers_come_the_same_way(engine: Engine) -> None:
    count = {"store_id": "S", "product_id": "P", "quantity": 3, "as_of": "2026-01-05T10:00:00Z"}
    assert take(engine, "stock", [count]).inserted == 1
    assert take(engine, "stock", [count | {"quantity": 2, "as_of": "2026-01-05T11:00:00Z"}]).updated == 1
    people = {"store_id": "S", "starts_at": "2026-01-05T10:00:00Z", "minutes": 15, "entered": 12}
    assert (
        take(engine, "traffic", [people, people | {"starts_at": "2026-01-05T10:15:00Z", "entered": -1}]).inserted == 1
    )
    answer = {"response_id": "A", "question": "nps", "survey_id": "V", "answered_at": "2026-01-05", "score": 9}
    assert take(engine, "answers", [answer, answer | {"touchpoint": "web", "score": "9.5"}]).inserted == 2


def test_text_that_is_none_is_refused_not_altered(engine: Engine) -> None:
    taken = take(engine, "web_events", [event(1, query="\ud83d"), event(2, visitor_id="a\x00"), event(3, query="🛒")])
    assert [row.index for row in taken.kept_out] == [0, 1]
    assert rows_of(engine, "SELECT event_id, query FROM web_events") == [("E3", "🛒")]


def test_too_many_rows_no_list_and_no_table_are_refused(engine: Engine) -> None:
    with pytest.raises(TooMany, match="2000 rows at once"):
        take(engine, "web_events", [event(n) for n in range(2000)])
    with pytest.raises(InputError, match="is not a list"):
        take(engine, "web_events", {"event_id": "E"})
    with pytest.raises(NotFound, match="no table 'accounts'"):
        take(engine, "accounts", [])
    assert take(engine, "web_events", []).read == 0
    assert rows_of(engine, "SELECT count(*) FROM web_events") == [(0,)]


def test_the_short_way_and_the_careful_way_read_alike(engine: Engine) -> None:
    known = [event(0), event(1, customer_id="C1", query="膝 サポーター")]
    take(engine, "web_events", known)  # makes the stubs, so that the short way is open from here on
    rows = [event(2), event(3, customer_id="C1"), event(4, kind="glance"), event(5, occurred_at="2026-01-05T10:00:00")]
    taken = take(engine, "web_events", [*rows, event(0), event(2)])
    assert (taken.read, taken.inserted, taken.unchanged) == (6, 3, 2)
    assert [row.index for row in taken.kept_out] == [2]
    again = take(engine, "web_events", [*rows, event(0), event(6), event(1, customer_id="C1", query="other")])
    assert (again.inserted, again.unchanged) == (1, 4)
    assert [(row.index, row.kind) for row in again.kept_out] == [(2, "bad"), (6, "conflict")]
    stored = rows_of(engine, "SELECT event_id, occurred_at, customer_id FROM web_events ORDER BY event_id")
    moment = 1767574800000000
    assert stored == [("E0", moment, None), ("E1", moment, "C1"), ("E2", moment, None), ("E3", moment, "C1"),
                      ("E5", moment, None), ("E6", moment, None)]  # fmt: skip


def test_the_short_way_ties_sales_to_cards_and_days_to_stores(engine: Engine) -> None:
    sale = {"receipt_id": "R1", "line_no": 1, "store_id": "S", "sold_at": "2026-01-05T14:59:59Z", "product_id": "P",
            "quantity": 1, "amount": 100, "clerk_id": "K"}  # fmt: skip
    take(engine, "pos_lines", [sale])
    take(engine, "identities", [{"kind": "card", "value": "42", "customer_id": "C", "linked_at": "2026-01-01"}])
    later = [
        sale | {"receipt_id": "R2", "card_no": "42"},
        sale | {"receipt_id": "R3", "sold_at": "2026-01-05T15:00:00Z"},
    ]
    assert take(engine, "pos_lines", later).inserted == 2
    assert rows_of(engine, "SELECT receipt_id, customer_id, card_no, local_day, amount FROM pos_lines ORDER BY 1") == [
        ("R1", None, None, 20458, 1000000), ("R2", "C", "42", 20458, 1000000), ("R3", None, None, 20459, 1000000),
    ]  # fmt: skip
    assert take(engine, "pos_lines", [sale | {"quantity": 0}]).kept_out[0].reason == "quantity '0' must not be 0"
    take(engine, "stores", [{"store_id": "S", "name": "S", "timezone": "UTC"}])
    take(engine, "pos_lines", [sale | {"receipt_id": "R4", "sold_at": "2026-01-05T15:00:00+00:00"}])
    assert rows_of(engine, "SELECT local_day FROM pos_lines WHERE receipt_id = 'R4'") == [(20458,)]


def test_the_same_events_from_several_senders_at_once_are_stored_once(engine: Engine) -> None:
    rows = [event(number, product_id=f"P{number % 40}", customer_id=f"C{number % 7}") for number in range(200)]

    def send(seed: int) -> tuple[int, int]:
        mine = rows.copy()
        Random(seed).shuffle(mine)
        taken = [take(engine, "web_events", mine[first : first + 50]) for first in range(0, 200, 50)]
        assert not any(part.kept_out for part in taken)
        return sum(part.inserted for part in taken), sum(part.unchanged for part in taken)

    with ThreadPoolExecutor(4) as senders:
        told = list(senders.map(send, range(4)))
    assert sum(inserted for inserted, _ in told) == 200
    assert sum(unchanged for _, unchanged in told) == 600
    assert rows_of(engine, "SELECT count(*), count(DISTINCT product_id) FROM web_events") == [(200, 40)]
    assert rows_of(engine, "SELECT count(*) FROM products") == [(40,)]


def test_texts_with_any_sign_in_them_arrive_as_they_are(session: Session) -> None:
    import_rows(session, "products", [{"product_id": "P", "name": "x"}], source="t", now=NOW)
    queries = ["plain", "unit\x1fseparator", "record\x1eseparator", 'comma, {brace} "quote" \\x', "改行\nなし", None]
    rows = [
        {"event_id": f"E{n}", "occurred_at": "2026-01-05T12:00:00+09:00", "visitor_id": "V", "kind": "search",
         "product_id": "P", "query": query}
        for n, query in enumerate(queries)
    ]  # fmt: skip
    for first in (0, 1, 2):  # alone, beside others, and all again
        import_rows(session, "web_events", rows[first : first + 1] if first < 2 else rows, source="t", now=NOW)
    found = session.execute(select(WebEvent.event_id, WebEvent.query).order_by(WebEvent.event_id)).all()
    assert [query for _, query in found] == queries


def test_a_product_that_was_found_once_is_not_asked_for_with_every_request(engine: Engine) -> None:
    asked: list[str] = []

    @listen.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        asked.append(statement)

    for number in range(3):
        asked.clear()
        row = {"event_id": f"E{number}", "occurred_at": "2026-01-05T12:00:00+09:00", "visitor_id": "V", "kind": "view",
               "product_id": "P"}  # fmt: skip
        with writing(engine) as session:
            import_rows(session, "web_events", [row], source="t", now=NOW)
    assert [statement for statement in asked if "FROM products" in statement] == []
