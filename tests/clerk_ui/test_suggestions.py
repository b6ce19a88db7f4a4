from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from clerk_ui.database_sessions import engine_of
from journey.customers import Customer
from journey.database import reading, writing
from journey.know_how_cards import CardText, make_card, publish_card
from journey.products import Product, Stock
from journey.suggestions import Suggestion
from recommender.registry import Registry
from tests.clerk_ui.conftest import Shop
from tests.recommender.worlds import model


@pytest.fixture
def served(shop: Shop) -> Shop:
    """The shop with the small hand-made model in use: customer A knows P0 to P2 of ten products."""
    settings = shop.app.extensions["osusume.settings"]
    Registry(settings.storage.home).add(model(), now=datetime.now(UTC))
    with writing(engine_of(shop.app)) as session:
        for customer_id in ("A", "B"):
            session.add(Customer(customer_id=customer_id, name=customer_id, consent_profiling=True))
        for number in range(10):
            session.add(
                Product(
                    product_id=f"P{number}", name=f"商品{number}", category=f"食品 > {number}", brand="みどり",
                    price=Decimal(100 + number), attributes={"image_url": "https://img.example/p.png"},
                )
            )  # fmt: skip
        session.add(Stock(store_id="S1", product_id="P0", quantity=3, as_of=datetime.now(UTC)))
        session.add(Stock(store_id="S2", product_id="P0", quantity=5, as_of=datetime.now(UTC)))
    return shop


def ask(shop: Shop, path: str = "/api/customers/A/suggestions", **body: Any) -> Any:
    return shop.app.test_client().post(path, json={"store_id": "S1"} | body, headers=shop.machine())


def test_every_suggestion_shown_is_on_record_with_model_and_propensity(served: Shop) -> None:
    tablet = served.signed_in("C1")
    answer = tablet.post("/api/customers/A/suggestions", json={})
    assert answer.status_code == 200, answer.json
    assert [one["rank"] for one in answer.json] == [1, 2, 3, 4, 5]
    with reading(served.engine) as session:
        rows = session.scalars(select(Suggestion).where(Suggestion.customer_id == "A").order_by(Suggestion.rank)).all()
        assert [row.suggestion_id for row in rows] == [one["suggestion_id"] for one in answer.json]
        assert [row.product_id for row in rows] == [one["product"]["product_id"] for one in answer.json]
        assert {(row.store_id, row.clerk_id, row.model) for row in rows} == {
            ("S1", "C1", Registry(served.app.extensions["osusume.settings"].storage.home).current_version())
        }
        assert all(row.device_id and row.propensity is not None and 0 < row.propensity <= 1 for row in rows)
    first = next(one for one in answer.json if one["product"]["product_id"] == "P0")
    assert first["product"]["name"] == "商品0"
    assert first["product"]["price"] == 100
    assert first["product"]["image_url"] == "https://img.example/p.png"
    assert first["reason"]
    assert first["stock"]["here"] == 3
    assert [(place["name"], place["quantity"]) for place in first["stock"]["nearby"]] == [("渋谷店", 5)]


def test_know_how_comes_with_the_suggestion_that_it_fits_best(served: Shop) -> None:
    with writing(served.engine) as session:
        for name, text in {
            "anything": {}, "food": {"category": "食品"}, "this one": {"product_id": "P0"},
            "elsewhere": {"store_id": "S2"}, "no food": {"category": "食"},
        }.items():  # fmt: skip
            store_id = text.pop("store_id", "S1")
            words = CardText(title=name, talk_line="いかがですか", how="手に取っていただく", **text)
            make_card(session, name, words, store_id=store_id, by="coe", now=datetime.now(UTC))
            publish_card(session, name, now=datetime.now(UTC))
    shown = served.signed_in("C1").post("/api/customers/A/suggestions", json={}).json
    cards = {one["product"]["product_id"]: one["know_how"] for one in shown}
    assert cards["P0"] == {
        "card_id": "this one",
        "title": "this one",
        "talk_line": "いかがですか",
        "how": "手に取っていただく",
    }
    others = [card["card_id"] for product_id, card in cards.items() if product_id != "P0" and card]
    assert others == ["food", "anything"]  # each card once, the more particular one earlier in the set


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://cdn.example/p.png", True),
        ("/pictures/p.png", True),
        ("https://elsewhere.example/p.png", False),
        ("http://cdn.example/p.png", False),
        ("//cdn.example/p.png", False),
        ("javascript:alert(1)", False),
        ("https://cdn.example@elsewhere.example/p.png", False),
    ],
)
def test_pictures_come_from_named_hosts_only(served: Shop, address: str, shown: bool) -> None:
    with writing(served.engine) as session:
        session.get_one(Product, "P0").attributes = {"image_url": address}
    answer = served.app.test_client().get("/api/products/P0", headers=served.machine())
    assert answer.json["image_url"] == (address if shown else None)
    policy = answer.headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob: https://img.example https://cdn.example;" in policy


def test_a_dismissal_is_honoured_by_the_next_set(served: Shop) -> None:
    tablet = served.signed_in("C1")
    first = tablet.post("/api/customers/A/suggestions", json={}).json[0]["product"]["product_id"]
    body = {"dismissal_id": str(uuid.uuid4()), "customer_id": "A", "product_id": first}
    assert tablet.post("/api/dismissals", json=body).status_code == 201
    again = tablet.post("/api/customers/A/suggestions", json={}).json
    assert len(again) == 5
    assert first not in [one["product"]["product_id"] for one in again]


def test_how_often_each_rule_acted_is_on_record_and_among_the_metrics(served: Shop) -> None:
    def counted() -> float:
        text = served.app.test_client().get("/metrics").text
        line = next(
            (line for line in text.splitlines() if line.startswith('osusume_rule_actions_total{rule="stock"}')), "0"
        )
        return float(line.split()[-1])

    before = counted()
    with writing(served.engine) as session:
        for product_id in ("P4", "P5"):
            session.add(Stock(store_id="S1", product_id=product_id, quantity=0, as_of=datetime.now(UTC)))
    shown = ask(served).json
    assert {"P4", "P5"}.isdisjoint(one["product"]["product_id"] for one in shown)
    with reading(served.engine) as session:
        chosen = [one["suggestion_id"] for one in shown]
        rows = session.execute(select(Suggestion).where(Suggestion.suggestion_id.in_(chosen))).scalars()
        kept = {row.rank: row.rules for row in rows}
    assert kept[1] is not None
    assert kept[1]["stock"] == 2
    assert all(kept[rank] is None for rank in range(2, 6))
    assert counted() == before + 2


def test_the_anonymous_path_knows_nobody(served: Shop) -> None:
    answer = ask(served, "/api/products/P8/suggestions", k=3)
    assert answer.status_code == 200, answer.json
    assert len(answer.json) == 3
    assert "P8" not in [one["product"]["product_id"] for one in answer.json]
    with reading(served.engine) as session:
        rows = session.scalars(select(Suggestion).where(Suggestion.model != "m1")).all()
        assert {(row.customer_id, row.store_id) for row in rows} == {(None, "S1")}


def test_kinds_sizes_and_languages(served: Shop) -> None:
    assert {one["kind"] for one in ask(served, kind="repeat").json} == {"repeat"}
    assert {one["kind"] for one in ask(served, kind="explore").json} == {"explore"}
    assert len(ask(served, k=2).json) == 2
    assert ask(served, k=0).status_code == 422
    assert ask(served, kind="best").status_code == 422
    client = served.app.test_client()
    english = client.post(
        "/api/customers/A/suggestions", json={"store_id": "S1"}, headers=served.machine(**{"Accept-Language": "en"})
    )
    assert english.json[0]["reason"].isascii() or "商品" in english.json[0]["reason"]
    assert english.json[0]["reason"] != ask(served).json[0]["reason"]


def test_unknown_ids_are_named(served: Shop) -> None:
    for path, body, where in (
        ("/api/customers/nobody/suggestions", {}, "customer_id"),
        ("/api/products/none/suggestions", {}, "product_id"),
        ("/api/customers/A/suggestions", {"store_id": "S9"}, "store_id"),
        ("/api/customers/A/suggestions", {"clerk_id": "C99"}, "clerk_id"),
    ):
        answer = ask(served, path, **body)
        assert (answer.status_code, answer.json["where"]) == (404, where), answer.json
    assert ask(served, store_id=None).json["where"] == "json.store_id"
    tablet = served.signed_in()
    other = tablet.post("/api/customers/A/suggestions", json={"store_id": "S2"})
    assert (other.status_code, other.json["type"]) == (403, "urn:osusume:problem:other-store")


def test_without_a_model_it_says_what_to_do(shop: Shop) -> None:
    answer = ask(shop, "/api/customers/0001/suggestions")
    assert (answer.status_code, answer.json["type"]) == (503, "urn:osusume:problem:unavailable")
    assert "osusume train" in answer.json["what_to_do"]
    ready = shop.app.test_client().get("/readyz")
    assert (ready.status_code, ready.json["parts"]["model"]["state"]) == (200, "degraded")  # outcomes still count


def test_the_hold_out_gets_nothing_but_is_on_record(served: Shop) -> None:
    recommender = served.app.extensions["osusume.recommender"]
    recommender.policy = replace(recommender.policy, holdout=1.0)
    assert ask(served).json == []
    with reading(served.engine) as session:
        assert set(session.scalars(select(Suggestion.arm).where(Suggestion.customer_id == "A"))) == {"holdout"}
