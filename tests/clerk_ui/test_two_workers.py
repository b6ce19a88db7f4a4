"""Two workers as two applications over one database and one Redis: what one is told, the other heeds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from flask import Flask

from clerk_ui import create_app
from clerk_ui.database_sessions import engine_of
from clerk_ui.settings import Settings, StorageSettings
from tests.clerk_ui.conftest import Shop, sign_in
from tests.clerk_ui.test_intake import event, send
from tests.clerk_ui.test_outcomes import path, tap
from tests.clerk_ui.test_suggestions import ask, served

__all__ = ["served"]


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Settings]:
    number = 1 + uuid.uuid4().int % 15
    own = f"{redis_url.rsplit('/', 1)[0]}/{number}"
    client = redis.Redis.from_url(own)
    client.flushdb()
    yield Settings(storage=StorageSettings(home=tmp_path / "home", database_url=database_url, redis_url=own))
    client.flushdb()
    client.close()


@pytest.fixture
def other(served: Shop, settings: Settings) -> Iterator[Shop]:
    app: Flask = create_app(settings)
    yield Shop(app, served.engine, served.key, served.suggestions)
    engine_of(app).dispose()


def products(shop: Shop) -> list[str]:
    return [one["product"]["product_id"] for one in ask(shop, k=3).json]


def test_an_event_told_to_one_worker_changes_the_suggestions_of_the_other(served: Shop, other: Shop) -> None:
    assert "P9" not in products(served) + products(other)
    cart = event(1, customer_id="A", product_id="P9", kind="cart")
    assert send(served, "/api/events", {"events": [cart]}).json["inserted"] == 1
    assert "P9" in products(other)


def test_what_was_made_ahead_by_one_worker_does_not_outlive_a_dismissal_at_the_other(served: Shop, other: Shop) -> None:
    arrival = {"visit_id": "W1", "store_id": "S1", "customer_id": "A", "arrived_at": datetime.now(UTC).isoformat()}
    send(served, "/api/checkins", {"checkins": [arrival]})
    first = ask(other).json[0]["product"]["product_id"]
    body = {"dismissal_id": str(uuid.uuid4()), "customer_id": "A", "product_id": first, "clerk_id": "C1"}
    send(served, "/api/dismissals", body)
    assert first not in [one["product"]["product_id"] for one in ask(other).json]


def test_a_session_opened_at_one_worker_ends_at_the_other(served: Shop, other: Shop) -> None:
    tablet = served.signed_in("C1")
    elsewhere = other.stranger()
    for name in ("osusume_device", "osusume_session"):
        cookie = tablet.get_cookie(name)
        assert cookie is not None
        elsewhere.set_cookie(name, cookie.value)
    assert elsewhere.get("/api/session").json["person"]["account_id"] == "C1"
    assert elsewhere.put(path(), json=tap()).status_code == 201
    sign_in(tablet, "C2")
    assert elsewhere.get("/api/session").json["person"] is None


def test_without_redis_suggestions_and_outcomes_go_on(served: Shop, settings: Settings) -> None:
    nowhere = settings.storage.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    app = create_app(settings.model_copy(update={"storage": nowhere}))
    alone = Shop(app, served.engine, served.key, served.suggestions)
    try:
        ready = app.test_client().get("/readyz")
        assert (ready.status_code, ready.json["parts"]["online_store"]["state"]) == (200, "degraded")
        assert len(ask(alone).json) == 5
        cart = event(1, customer_id="A", product_id="P9", kind="cart")
        assert send(alone, "/api/events", {"events": [cart]}).json["inserted"] == 1
        assert "P9" in products(alone)  # read from the database instead
        assert app.test_client().put(path(), json=tap(), headers=alone.machine()).status_code == 201
    finally:
        engine_of(app).dispose()
