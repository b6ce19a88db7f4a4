"""What the beacon sends, and who may send it."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clerk_ui import create_app
from clerk_ui.database_sessions import engine_of
from clerk_ui.settings import Settings, StorageSettings, WebSettings
from clerk_ui.web import beacon
from journey.database import writing
from journey.intake.ledger import QuarantinedRow
from journey.products import Product
from journey.web import WebEvent
from tests.clerk_ui.conftest import Shop

SHOP_ORIGIN = "https://shop.example"
VISITOR = "b." + "v" * 22
PRODUCT = "4901234567894"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(
        storage=StorageSettings(home=tmp_path / "home", database_url=database_url),
        web=WebSettings(beacon_origins=f"{SHOP_ORIGIN} https://other.example/"),
    )
    app = create_app(settings)
    for limit in (beacon.OF_VISITOR, beacon.OF_ADDRESS):
        limit.clear()
    yield app
    engine_of(app).dispose()


def millis(moment: datetime | None = None) -> int:
    return round((moment or datetime.now(UTC)).timestamp() * 1000)


def event(**facts: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "at": millis(), "kind": "view", "product_id": PRODUCT, "page": "/p/1"} | facts


def send(
    client: FlaskClient,
    *events: Any,
    visitor: str = VISITOR,
    origin: str | None = SHOP_ORIGIN,
    sent: int = 0,
    **more: str,
) -> Any:
    body = {"visitor": visitor, "sent_at": sent or millis(), "events": list(events)}
    headers = ({"Origin": origin} if origin else {}) | more
    return client.post("/web/events", json=body, headers=headers)


def stored(shop: Shop) -> list[WebEvent]:
    with writing(shop.engine) as session:
        return list(session.scalars(select(WebEvent).order_by(WebEvent.kind, WebEvent.event_id)))


def test_the_script_is_small_first_party_and_may_be_loaded_by_the_shop(app: Flask) -> None:
    answer = app.test_client().get("/beacon.js")
    assert len(gzip.compress(answer.data, 9)) <= 5 * 1024
    assert b"http" not in answer.data.replace(b"https:", b"")  # no address but the one it came from
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age" in answer.headers["Cache-Control"]


def test_an_event_is_stored_once_however_often_it_comes(shop: Shop) -> None:
    client, first, second = (
        shop.app.test_client(),
        event(),
        event(kind="search", query="ハンドクリーム", product_id=None),
    )
    assert send(client, first).json == {"stored": 1, "known": 0, "refused": 0}
    assert send(client, first, second, second).json == {"stored": 1, "known": 2, "refused": 0}
    # the same event with another time on a corrected clock is still the same event
    assert send(client, first, sent=millis(datetime.now(UTC) + timedelta(hours=1))).json["known"] == 1
    found = stored(shop)
    assert [(row.kind, row.product_id, row.query) for row in found] == [
        ("search", None, "ハンドクリーム"), ("view", PRODUCT, None),
    ]  # fmt: skip
    assert {row.visitor_id for row in found} == {VISITOR}


def test_a_page_names_no_customer_no_app_code_no_purchase_and_no_new_product(shop: Shop) -> None:
    client = shop.app.test_client()
    taken = send(
        client, event(customer_id="0001", visitor_id="app-1"), event(kind="purchase"), event(kind="mail_open"),
        event(product_id="made-up"), event(id="E1"), event(at=None), "text", event(session="S"),
    )  # fmt: skip
    assert taken.json == {"stored": 2, "known": 0, "refused": 6}
    found = stored(shop)
    assert {row.customer_id for row in found} == {row.customer_ref for row in found} == {None}
    assert sorted(str(row.product_id) for row in found) == sorted([PRODUCT, "None"])
    with writing(shop.engine) as session:
        assert session.get(Product, "made-up") is None
        assert session.scalars(select(QuarantinedRow)).all() == []
    for visitor in ("0001", "app-1", "b.short", "b." + "v" * 23):
        assert send(client, event(), visitor=visitor).status_code == 422


def test_addresses_are_kept_without_what_stands_behind_them_and_texts_are_short(shop: Shop) -> None:
    send(
        shop.app.test_client(),
        event(kind="search", query="長" * 300, page="/s?token=secret#x", referrer="https://a.example/?q=name"),
    )
    (found,) = stored(shop)
    assert (found.page, found.referrer, len(found.query or "")) == ("/s", "https://a.example/", 100)


def test_a_wrong_clock_is_put_right_and_old_news_is_refused(shop: Shop) -> None:
    client, now = shop.app.test_client(), datetime.now(UTC)
    ahead = timedelta(hours=9)
    send(client, event(at=millis(now + ahead - timedelta(minutes=1))), sent=millis(now + ahead))
    (found,) = stored(shop)
    assert abs(found.occurred_at - (now - timedelta(minutes=1))) < timedelta(seconds=20)
    assert send(client, event(at=millis(now - timedelta(days=3)))).json["refused"] == 1


def test_only_pages_of_the_shop_may_send_and_they_may_read_every_answer(shop: Shop) -> None:
    client = shop.app.test_client()
    assert send(client, event(), origin="https://evil.example").status_code == 403
    assert send(client, event(), origin=None).status_code == 403
    assert send(client, event(), origin="http://localhost").status_code == 200  # our own pages
    assert send(client, event(), origin="https://other.example").status_code == 200
    refused = send(client, event(), visitor="nobody")
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (422, SHOP_ORIGIN)
    asked = client.options("/web/events", headers={"Origin": SHOP_ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Methods"]) == (204, "POST")
    assert (
        "Access-Control-Allow-Origin"
        not in client.options("/web/events", headers={"Origin": "https://evil.example"}).headers
    )


@pytest.mark.parametrize("signal", ["Sec-GPC", "DNT"])
def test_who_asks_not_to_be_tracked_is_not_even_if_a_page_sends(shop: Shop, signal: str) -> None:
    assert send(shop.app.test_client(), event(), **{signal: "1"}).json["stored"] == 0
    assert stored(shop) == []


def test_what_is_no_beacons_body_is_refused_without_a_defect(shop: Shop) -> None:
    client, headers = shop.app.test_client(), {"Origin": SHOP_ORIGIN}
    for body in (
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"visitor": 1}',
        b"\xff\xfe",
        b'{"visitor":"%s","events":{}}' % VISITOR.encode(),
    ):
        assert client.post("/web/events", data=body, headers=headers).status_code == 422, body
    assert client.post("/web/events", data=b" " * 70_000, headers=headers).status_code == 413
    assert send(client, *[event() for _ in range(51)]).status_code == 422


def test_a_visitor_and_an_address_are_limited(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beacon.OF_VISITOR, "times", 2)
    client = shop.app.test_client()
    assert [send(client, event()).status_code for _ in range(3)] == [200, 200, 429]
    other = "b." + "w" * 22
    limited = send(client, event(), visitor=other)
    assert limited.status_code == 200
    monkeypatch.setattr(beacon.OF_ADDRESS, "times", 4)
    limited = send(client, event(), visitor="b." + "x" * 22)
    assert (limited.status_code, limited.headers["Access-Control-Allow-Origin"]) == (429, SHOP_ORIGIN)
    assert int(limited.headers["Retry-After"]) >= 1
