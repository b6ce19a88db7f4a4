"""An application on a real database, with two stores, their people, tablets and customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from clerk_ui import create_app
from clerk_ui.auth import devices as device_routes
from clerk_ui.auth import sessions as session_routes
from clerk_ui.auth import sign_in_form as sign_in_routes
from clerk_ui.database_sessions import engine_of
from clerk_ui.settings import Settings, StorageSettings, WebSettings
from journey.accounts import add_account, password_hash, pin_hash
from journey.api_keys import add_key
from journey.coupons import Coupon, CouponGrant
from journey.customers import Customer
from journey.database import writing
from journey.devices import add_device
from journey.identity import Identity
from journey.products import Product, Stock
from journey.stores import Clerk, Store
from journey.suggestions import Suggestion

TABLET = {"X-Osusume-Tablet": "1"}
PIN = "2580"
PIN_HASH = pin_hash(PIN)  # made once: a hash takes its time on purpose
PASSWORD = "correct horse"
PASSWORD_HASH = password_hash(PASSWORD)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    storage = StorageSettings(home=tmp_path / "home", database_url=database_url)
    web = WebSettings(image_hosts="img.example cdn.example", exploration=0.0)  # chance would change sets to be compared
    return Settings(storage=storage, web=web)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = False
    for limit in (device_routes.ENROLMENTS, session_routes.PINS, sign_in_routes.PASSWORDS):
        limit.clear()
    yield app
    engine_of(app).dispose()


@dataclass
class Shop:
    """A small chain: stores S1 and S2; C1, C2 and manager M1 work in S1, C9 in S2; the customer is 0001."""

    app: Flask
    engine: Engine
    key: str
    suggestions: list[str]

    def machine(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} | more

    def tablet(self, store_id: str = "S1", name: str = "counter") -> FlaskClient:
        """A new enrolled tablet; its client sends the tablet's header with everything."""
        with writing(self.engine) as session:
            _, code = add_device(session, store_id=store_id, name=name, now=datetime.now(UTC))
        client = self.stranger()
        assert client.post("/api/devices/enrolment", json={"code": code}).status_code == 201
        return client

    def stranger(self) -> FlaskClient:
        client = self.app.test_client()
        client.environ_base = client.environ_base | {"HTTP_X_OSUSUME_TABLET": "1"}
        return client

    def signed_in(self, account_id: str = "C1", store_id: str = "S1") -> FlaskClient:
        client = self.tablet(store_id)
        sign_in(client, account_id)
        return client


def sign_in(client: FlaskClient, account_id: str, pin: str = PIN) -> Any:
    answer = client.post("/api/session", json={"account_id": account_id, "pin": pin})
    assert answer.status_code == 201, answer.json
    return answer


@pytest.fixture
def shop(app: Flask) -> Shop:
    engine, now = engine_of(app), datetime.now(UTC)
    with writing(engine) as session:
        for store_id, name in (("S1", "新宿店"), ("S2", "渋谷店")):
            session.add(Store(store_id=store_id, name=name, area="東京", timezone="Asia/Tokyo", opened_on=None))
        for clerk_id, store_id, name in (
            ("C1", "S1", "佐藤 花子"),
            ("C2", "S1", "鈴木 一郎"),
            ("M1", "S1", "高橋 店長"),
            ("C9", "S2", "田中 遠子"),
        ):
            session.add(
                Clerk(clerk_id=clerk_id, store_id=store_id, name=name, role="clerk", hired_on=None, left_on=None)
            )
        session.add(
            Customer(
                customer_id="0001",
                name="山田 太郎",
                kana="ヤマダ タロウ",
                joined_on=date(2024, 4, 1),
                birth_year=1980,
                gender="m",
                area="東京",
                tier="gold",
                consent_profiling=True,
                consent_contact=True,
                search_key=None,
                merged_into=None,
                erased_at=None,
            )
        )
        session.add(
            Identity(kind="card", value="4900000000017", customer_ref="0001", customer_id="0001", linked_at=now)
        )
        for product_id, name, price in (("4901234567894", "緑茶 500ml", 150), ("4901234567900", "食パン", 220)):
            session.add(
                Product(
                    product_id=product_id,
                    name=name,
                    category="食品 > 飲料",
                    brand="みどり",
                    price=Decimal(price),
                    released_on=None,
                    discontinued_on=None,
                    attributes=None,
                )
            )
        session.add(Stock(store_id="S1", product_id="4901234567894", quantity=0, as_of=now))
        session.add(Stock(store_id="S2", product_id="4901234567894", quantity=7, as_of=now))
        session.add(
            Coupon(
                coupon_id="K1",
                name="100円引き",
                kind="amount",
                value=Decimal(100),
                valid_from=now - timedelta(days=1),
                valid_until=now + timedelta(days=7),
                product_id=None,
                category=None,
                channels="store|ec",
            )
        )
        session.add(
            CouponGrant(
                coupon_id="K1",
                customer_ref="0001",
                customer_id="0001",
                granted_at=now,
                channel="app",
                redeemed_at=None,
                redeemed_channel=None,
                redemption_id=None,
                redeemed_store_id=None,
                redeemed_by=None,
            )
        )
        session.flush()
        for clerk_id in ("C1", "C2", "C9"):
            account = add_account(session, name=f"account {clerk_id}", role="clerk", clerk_id=clerk_id, now=now)
            account.pin_hash = PIN_HASH
        manager = add_account(session, name="高橋 店長", role="manager", clerk_id="M1", now=now)
        manager.pin_hash, manager.password_hash = PIN_HASH, PASSWORD_HASH
        add_account(session, name="Coe", role="coe", account_id="coe", now=now).password_hash = PASSWORD_HASH
        _, key = add_key(session, name="tests", now=now)
        suggestions = [f"sug-{number}" for number in range(3)]
        for rank, suggestion_id in enumerate(suggestions, 1):
            session.add(shown(suggestion_id, "S1", rank, now))
        session.add(shown("sug-other", "S2", 1, now))
    return Shop(app, engine, key, suggestions)


def shown(suggestion_id: str, store_id: str, rank: int, at: datetime) -> Suggestion:
    return Suggestion(
        suggestion_id=suggestion_id,
        set_id="set",
        customer_id="0001",
        customer_ref="0001",
        store_id=store_id,
        clerk_id="C1",
        device_id=None,
        shown_at=at,
        product_id="4901234567894",
        rank=rank,
        score=1.0,
        probability=0.2,
        propensity=1.0,
        model="m1",
        policy="ranked",
        arm=None,
        reason="いつもお買い上げ",
        kind="repeat",
        source="repeat",
        evidence=None,
    )
