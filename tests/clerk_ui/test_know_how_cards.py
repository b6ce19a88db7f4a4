"""Know-how cards on the tablet: the ones that fit, of this store, and who saw or tried them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from journey.database import writing
from journey.errors import Conflict, InputError, NotFound
from journey.know_how_cards import (
    CardText,
    KnowHowUse,
    adoption,
    card_of,
    make_card,
    publish_card,
    retire_card,
    rewrite_card,
)
from journey.suggestions import Suggestion
from tests.clerk_ui.conftest import Shop

NOW = datetime.now(UTC)


def card(shop: Shop, name: str, *, store_id: str | None = "S1", live: bool = True, **text: Any) -> None:
    with writing(shop.engine) as session:
        make_card(session, name, CardText(title=name, talk_line="どなたへの贈り物ですか?", **text), store_id=store_id,
                  by="manager", now=NOW)  # fmt: skip
        if live:
            publish_card(session, name, now=NOW)


def names(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.json
    return {one["card_id"]: one["suggestion_ids"] for one in answer.json["cards"]}


def test_cards_appear_where_they_fit(shop: Shop) -> None:
    card(shop, "drinks", category="食品 > 飲料")
    card(shop, "food", store_id=None, category="食品", situation="familiar")
    card(shop, "tea", product_id="4901234567894", situation="viewed")
    card(shop, "cosmetics", category="食")  # a word's beginning is no category above it
    card(shop, "first time", situation="new")
    card(shop, "draft", live=False)
    card(shop, "elsewhere", store_id="S2")
    clerk = shop.signed_in("C1")
    everything = names(clerk.get("/api/know-how-cards"))
    assert set(everything) == {"drinks", "food", "tea", "cosmetics", "first time"}
    asked = "/api/know-how-cards?suggestion_id=sug-0&suggestion_id=sug-1"
    assert names(clerk.get(asked)) == {"drinks": ["sug-0", "sug-1"], "food": ["sug-0", "sug-1"]}
    with writing(shop.engine) as session:
        row = session.get(Suggestion, "sug-1")
        assert row is not None
        row.kind, row.evidence = "explore", {"ground": "viewed"}
    assert names(clerk.get(asked)) == {
        "drinks": ["sug-0", "sug-1"], "food": ["sug-0"], "tea": ["sug-1"], "first time": ["sug-1"]
    }  # fmt: skip
    assert set(names(shop.signed_in("C9", "S2").get("/api/know-how-cards"))) == {"food", "elsewhere"}
    assert names(clerk.get("/api/know-how-cards?suggestion_id=no-such")) == {}
    assert shop.stranger().get("/api/know-how-cards").status_code == 401
    assert clerk.get("/api/know-how-cards?" + "suggestion_id=x&" * 51).status_code == 422


def test_who_saw_and_who_tried_is_kept_once(shop: Shop) -> None:
    card(shop, "drinks")
    clerk = shop.signed_in("C1")
    use = f"/api/know-how-cards/drinks/uses/{uuid.uuid4()}"
    early = (NOW - timedelta(days=2)).isoformat()
    assert clerk.put(use, json={"kind": "seen", "used_at": early}).status_code == 201
    assert clerk.put(use, json={"kind": "seen", "used_at": early}).status_code == 200
    assert clerk.put(use, json={"kind": "tried"}).status_code == 409
    other = f"/api/know-how-cards/drinks/uses/{uuid.uuid4()}"
    tried = {"kind": "tried", "suggestion_id": "sug-0"}
    assert clerk.put(other, json=tried).json["clerk_id"] == "C1"
    machine = shop.app.test_client()
    named = {"kind": "seen", "clerk_id": "C2", "store_id": "S1"}
    third = f"/api/know-how-cards/drinks/uses/{uuid.uuid4()}"
    assert machine.put(third, json=named, headers=shop.machine()).status_code == 201
    assert clerk.put(f"/api/know-how-cards/none/uses/{uuid.uuid4()}", json={"kind": "seen"}).status_code == 404
    assert clerk.put("/api/know-how-cards/drinks/uses/1", json={"kind": "seen"}).status_code == 422
    assert clerk.put(other, json={"kind": "loved"}).status_code == 422
    with writing(shop.engine) as session:
        found = adoption(session, "drinks")
        assert (found.seen_by, found.tried_by, found.tried) == (2, 1, 1)
        assert found.first_seen["C1"] == datetime.fromisoformat(early)
        assert session.scalars(select(KnowHowUse.clerk_id).order_by(KnowHowUse.clerk_id)).all() == ["C1", "C1", "C2"]


def test_a_card_is_written_once_and_retired_once(shop: Shop) -> None:
    card(shop, "one", live=False)
    new = CardText(title="新しい題", talk_line="こちらもお似合いです")
    with writing(shop.engine) as session:
        assert rewrite_card(session, "one", new).title == "新しい題"
        publish_card(session, "one", now=NOW)
        for act in (
            lambda: publish_card(session, "one", now=NOW),
            lambda: rewrite_card(session, "one", new),
        ):
            with pytest.raises(Conflict, match="is live"):
                act()
        retire_card(session, "one", why="効果なし", now=NOW)
        with pytest.raises(Conflict, match="is retired"):
            retire_card(session, "one", why="", now=NOW)
        assert card_of(session, "one").retired_why == "効果なし"
        with pytest.raises(NotFound):
            card_of(session, "two")
        for wrong in ({"title": " "}, {"talk_line": ""}, {"situation": "sunny"}, {"product_id": "nothing"}):
            with pytest.raises(InputError):
                make_card(session, "x", CardText(**({"title": "t", "talk_line": "l"} | wrong)), store_id=None, by="m",
                          now=NOW)  # fmt: skip
    assert names(shop.signed_in("C1").get("/api/know-how-cards")) == {}
