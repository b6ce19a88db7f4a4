"""Events of pages on their way into the record."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.database import to_micros, writing
from journey.erasure import erase_customer
from journey.fact_days import FactDay
from journey.identity import Identity
from journey.intake import browser_storing
from journey.intake.browser_events import PageEvents, page_events
from journey.intake.browser_storing import PageStored, store_pages
from journey.intake.layouts import LAYOUTS
from journey.intake.plain_loading import load_plain
from journey.intake.plain_rows import read_plain
from journey.intake.resolution import ERASED_VISITOR
from journey.intake.times import Zones
from journey.products import Product
from journey.web import WebEvent

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
LINKED, STRANGER = "b." + "l" * 22, "b." + "s" * 22


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """A customer with a linked browser, another without, and a product."""
    with writing(engine) as session:
        session.add_all([Customer(customer_id="C1", stub=False), Customer(customer_id="C2", stub=False)])
        session.add(Product(product_id="P1", name="茶", stub=False))
        session.add(Identity(kind="cookie", value=LINKED, customer_id="C1", customer_ref="C1", linked_at=NOW))
    return engine


def page(visitor: str, *events: dict[str, Any], at: datetime = NOW) -> PageEvents:
    millis = round(at.timestamp() * 1000)
    usual = {"at": millis, "kind": "view", "product_id": "P1"}
    rows = [{"id": str(uuid.uuid4())} | usual | event for event in events]
    return page_events(visitor, rows, sent_at=millis, now=at)


def store(engine: Engine, *pages: PageEvents) -> list[PageStored]:
    return store_pages(engine, pages, now=NOW, timezone="Asia/Tokyo")


def events(engine: Engine) -> dict[str, WebEvent]:
    with Session(engine) as session:
        return {row.event_id: row for row in session.scalars(select(WebEvent))}


def test_several_requests_are_stored_at_once_with_whom_they_lead_to(shop: Engine) -> None:
    one, two = (
        page(LINKED, {}, {"product_id": "made-up", "query": "お茶"}),
        page(STRANGER, {}, at=NOW - timedelta(days=1)),
    )
    got = store(shop, one, two)
    assert [(len(stored.told), stored.known) for stored in got] == [(2, 0), (1, 0)]
    found = events(shop)
    assert [found[row["event_id"]].customer_id for row in one.rows + two.rows] == ["C1", "C1", None]
    assert [found[row["event_id"]].product_id for row in one.rows] == ["P1", None]
    told = {event["event_id"]: event for stored in got for event in stored.told}
    for event_id, row in found.items():
        assert told[event_id] == {name: getattr(row, name) for name in told[event_id]}
    with Session(shop) as session:
        days = session.scalars(select(FactDay.day).where(FactDay.table_name == "web_events")).all()
    assert sorted(days) == [to_micros(NOW) // 86_400_000_000 - 1, to_micros(NOW) // 86_400_000_000]


def test_an_event_counts_once_within_a_group_and_after_it(shop: Engine) -> None:
    one = page(STRANGER, {}, {})
    again = PageEvents(one.rows[:1], 1, 0)
    assert [(len(s.told), s.known) for s in store(shop, one, again)] == [(2, 0), (0, 1)]
    (day,) = [row.token for row in _days(shop)]
    assert [(len(s.told), s.known) for s in store(shop, again)] == [(0, 1)]
    assert [row.token for row in _days(shop)] == [day], "nothing changed that day"
    assert len(events(shop)) == 2


def _days(engine: Engine) -> list[FactDay]:
    with Session(engine) as session:
        return list(session.scalars(select(FactDay)))


@pytest.mark.parametrize("remembered", [False, True])
def test_what_an_erased_persons_browser_sends_is_nobodys(shop: Engine, remembered: bool) -> None:
    with writing(shop) as session:
        erase_customer(session, "C1", actor="test", now=NOW)
        session.add(Identity(kind="cookie", value=STRANGER, customer_id="C2", customer_ref="C2", linked_at=NOW))
    if remembered:
        browser_storing._look_up_salts(shop)
    theirs, others = page(LINKED, {"query": "name", "product_id": "made-up"}), page(STRANGER, {})
    got = store(shop, theirs, others)
    assert [(len(stored.told), stored.known) for stored in got] == [(1, 0), (1, 0)]
    found = events(shop)
    gone = found[theirs.rows[0]["event_id"]]
    assert (gone.visitor_id, gone.customer_id, gone.query, gone.product_id) == (ERASED_VISITOR, None, None, None)
    assert found[others.rows[0]["event_id"]].customer_id == "C2"
    assert got[0].told[0]["visitor_id"] == ERASED_VISITOR
    assert [(len(stored.told), stored.known) for stored in store(shop, theirs)] == [(0, 1)]


def test_what_fails_is_not_stored_in_part_and_the_next_goes_on(shop: Engine) -> None:
    good, bad = page(STRANGER, {}), page(STRANGER, {})
    bad.rows[0]["kind"] = None
    with pytest.raises(DBAPIError):
        store(shop, good, bad)
    assert events(shop) == {}
    assert len(store(shop, good)[0].told) == 1


def test_threads_with_the_same_events_neither_lose_nor_wait_for_ever(shop: Engine) -> None:
    pages = [page(STRANGER, *({} for _ in range(20))) for _ in range(4)]
    counted: list[int] = []

    def work(order: int) -> None:
        mine = pages if order % 2 else pages[::-1]
        counted.append(sum(len(stored.told) for stored in store(shop, *mine)))

    threads = [threading.Thread(target=work, args=(order,)) for order in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(counted) == 80
    assert len(events(shop)) == 80


def test_rows_of_others_still_go_the_short_way_once_somebody_was_erased(shop: Engine) -> None:
    with writing(shop) as session:
        erase_customer(session, "C1", actor="test", now=NOW)
    layout, zones = LAYOUTS["web_events"], Zones("Asia/Tokyo", {})
    for visitor, inserted in ((STRANGER, 1), (LINKED, 0)):
        row = {"event_id": visitor, "occurred_at": NOW.isoformat(), "visitor_id": visitor, "kind": "view"}
        with writing(shop) as session:
            plain = read_plain(layout, [row])
            assert plain is not None
            assert load_plain(session.connection(), layout, plain, zones) == inserted
