"""Rows of several requests in one transaction: each request is told what it would have been told alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, select

from journey.database import reading, writing
from journey.intake.ledger import QuarantinedRow
from journey.intake.rows import RowsTaken, import_groups, import_rows
from journey.web import WebEvent

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"E{number}",
        "occurred_at": "2026-06-10T11:00:00+00:00",
        "visitor_id": "V",
        "kind": "view",
    } | more


def take(engine: Engine, groups: list[list[Any]]) -> list[RowsTaken]:
    with writing(engine) as session:
        return import_groups(session, "web_events", groups, source="/api/events", now=NOW)


def count(engine: Engine, table: type[Any]) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_new_events_of_several_requests_are_told_to_each(engine: Engine) -> None:
    first, second, none = take(engine, [[event(1)], [event(2, colour="red"), event(3)], []])
    assert (first.read, first.inserted, first.unknown_columns) == (1, 1, [])
    assert (second.read, second.inserted, second.unknown_columns) == (2, 2, ["colour"])
    assert (none.read, none.inserted) == (0, 0)
    assert count(engine, WebEvent) == 3


def test_where_any_is_known_or_bad_each_is_told_what_it_would_be_told_alone(engine: Engine) -> None:
    take(engine, [[event(1)]])
    groups = [[event(1)], [event(2)], [event(2)], [event(3, kind="dance"), event(4)], [event(1, kind="cart")]]
    told = take(engine, groups)
    assert [(one.inserted, one.unchanged) for one in told] == [(0, 1), (1, 0), (0, 1), (1, 0), (0, 0)]
    assert [[(kept.index, kept.kind) for kept in one.kept_out] for one in told] == [
        [], [], [], [(0, "bad")], [(0, "conflict")],
    ]  # fmt: skip
    assert count(engine, WebEvent) == 3
    assert count(engine, QuarantinedRow) == 2, "what was tried together and given up has left nothing behind"


def test_customers_that_come_into_being_are_there_once(engine: Engine) -> None:
    told = take(engine, [[event(1, customer_id="N")], [event(2, customer_id="N")], [event(2, customer_id="N")]])
    assert [one.inserted for one in told] == [1, 1, 0]
    with writing(engine) as session:
        again = import_rows(session, "web_events", [event(3, customer_id="N")], source="/api/events", now=NOW)
    assert again.inserted == 1
    with reading(engine) as session:
        assert set(session.scalars(select(WebEvent.customer_id))) == {"N"}
