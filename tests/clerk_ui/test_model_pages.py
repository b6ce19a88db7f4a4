"""The CoE's pages of models: figures by segment, what would change, promotion with its guard, inputs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from clerk_ui.settings import Settings
from journey.audit import AuditEntry
from journey.customers import Customer
from journey.database import reading, writing
from recommender.drift import keep
from recommender.registry import Registry
from recommender.trained import ItemNeighbours
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_management_pages import browser, form_token
from tests.recommender.worlds import lists, model, new, own

NOW = datetime.now(UTC)


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": round(value - 0.02, 3), "high": round(value + 0.02, 3)}


def metrics(guard: float, regular: float = 0.41) -> dict[str, Any]:
    entry = {"n": 150, "recall@10": figure(0.312), "ndcg@10": figure(0.2)}
    return {
        "guard": {"evaluation": "the same", "metric": "ndcg@10", "value": guard},
        "validation_all": guard,
        "validation_all_best_single": 0.1,
        "segments": {
            "overall": [{"segment": "", "n": 150, "all": entry, "explore": entry}],
            "history": [{"segment": "regular", "n": 90, "all": entry | {"n": 88, "recall@10": figure(regular)}}],
            "tier": [{"segment": "regular", "n": 30, "all": entry}],
        },
        "reliability": [{"n": 50, "stated": 0.02, "observed": 0.03, "low": 0.01, "high": 0.05}],
        "cold_start": [figure(0.24) | {"case": "web", "n": 101, "popularity": 0.05}],
        "concentration": {"all": {"products": 7, "coverage": 0.7, "gini": 0.6, "top10_share": 0.5}},
    }


@pytest.fixture
def versions(shop: Shop, settings: Settings) -> tuple[Registry, str, str]:
    """A good version that serves, and a worse one; customer 0001 changes, 0002 refuses profiling."""
    registry = Registry(settings.storage.home)
    products = [f"P{n:02}" for n in range(12)]
    rows = [[own("P00", 0.4), *(new(f"P{n:02}", 0.3 - n / 100) for n in range(1, 10))]] * 2
    other = [[own("P00", 0.4), *(new(f"P{n:02}", 0.3 - n / 100) for n in range(2, 11))]] * 2
    base = replace(
        model(), product_ids=products, customer_ids=["0001", "0002"], ahead=lists(rows, products),
    )  # fmt: skip
    empty = ItemNeighbours.empty(len(products))
    base = replace(base, copurchase=empty, coview=empty, cold=lists([[], [], []], products))
    good = registry.add(replace(base, metrics=metrics(0.3, 0.5)), now=NOW - timedelta(hours=2))
    worse = registry.add(replace(base, metrics=metrics(0.2), ahead=lists(other, products)), now=NOW)
    with writing(shop.engine) as session:
        session.add(Customer(customer_id="0002", consent_profiling=False))
    return registry, good, worse


def acts(shop: Shop, action: str) -> list[dict[str, Any] | None]:
    with reading(shop.engine) as session:
        return list(session.scalars(select(AuditEntry.detail).where(AuditEntry.action == action)))


def test_a_version_says_for_whom_it_is_how_good_beside_the_one_that_serves(
    shop: Shop, versions: tuple[Registry, str, str]
) -> None:
    page = browser(shop, "coe").get(f"/coe/models/{versions[2]}?lang=ja").text
    assert "31.2%" in page
    assert "10回以上" in page
    assert page.count('<th scope="row">regular</th>') == 1  # the tier keeps the retailer's word
    assert "41.0%(39.0%–43.0%)" in page
    assert "本番の版 50.0%" in page
    assert 'class="reliability"' in page
    assert "ウェブを少し見たお客様" in page
    assert "人気順 5%" in page.replace("5.0%", "5%")
    sheet = browser(shop, "admin").get(f"/coe/models/{versions[2]}/segments.csv").text
    assert "history,regular,all,recall@10,88,0.41,0.39,0.43,0.5" in sheet


def test_what_would_change_is_shown_before_promotion_and_leaves_a_trail(
    shop: Shop, versions: tuple[Registry, str, str]
) -> None:
    page = browser(shop, "coe").get(f"/coe/models/{versions[2]}/changes?lang=ja").text
    assert "平均9件はそのまま" in page
    assert page.count("changes__enters") == page.count("changes__leaves") == 1
    assert "お客様 0001" in page
    assert "0002" not in page  # who refused profiling is no sample
    assert acts(shop, "model.previewed")[0] == {
        "address": f"/coe/models/{versions[2]}/changes", "customers": ["0001"],
    }  # fmt: skip


def test_a_worse_version_needs_a_reason_which_is_kept(shop: Shop, versions: tuple[Registry, str, str]) -> None:
    registry, good, worse = versions
    coe = browser(shop, "coe")
    address = f"/coe/models/{worse}/promotion"
    token = form_token(coe.get(f"/coe/models/{worse}/changes").text)
    refused = coe.post(address, data={"form_token": token})
    assert refused.status_code == 409
    assert "0.2000" in refused.text
    assert 'name="why"' in refused.text
    assert coe.post(address, data={"form_token": token, "force": "1", "why": " ok "}).status_code == 400
    assert coe.post(address, data={"force": "1", "why": "店頭で試すため"}).status_code == 403  # no token
    assert registry.current_version() == good
    assert coe.post(address, data={"form_token": token, "force": "1", "why": "店頭で試すため"}).status_code == 303
    assert registry.current_version() == worse
    assert "理由:店頭で試すため" in coe.get("/coe/?lang=ja").text
    (promoted,) = acts(shop, "model.promoted")
    assert promoted is not None
    assert (promoted["force"], promoted["why"]) == (True, "店頭で試すため")
    assert len(acts(shop, "model.refused")) == 1
    assert coe.post("/coe/models/rollback", data={"form_token": token}).status_code == 303
    assert registry.current_version() == good


@pytest.mark.parametrize("address", ["/coe/models/{}", "/coe/models/{}/changes", "/coe/models/{}/segments.csv",
                                     "/coe/models.csv", "/coe/inputs", "/coe/inputs.csv"])  # fmt: skip
def test_models_are_the_coes(shop: Shop, versions: tuple[Registry, str, str], address: str) -> None:
    place = address.format(versions[1])
    assert browser(shop, "coe").get(place).status_code == 200
    assert browser(shop, "manager", "S1").get(place).status_code == 403


def test_inputs_that_moved_are_named_first(shop: Shop, versions: tuple[Registry, str, str]) -> None:
    coe = browser(shop, "coe")
    assert "まだ比べていません" in coe.get("/coe/inputs?lang=ja").text
    calm = {"name": "price", "psi": 0.01, "noise": 0.02, "level": "same", "n_then": 900, "n_now": 300,
            "bins": [{"bin": "≤100", "then": 0.5, "now": 0.5}]}  # fmt: skip
    moved = calm | {"name": "channel", "psi": 0.4, "level": "changed",
                    "bins": [{"bin": "ec", "then": 0.1, "now": 0.5}]}  # fmt: skip
    keep(versions[0].models, {"at": NOW.isoformat(), "cut_off": NOW.isoformat(), "then": ["2026-01-01", "2026-03-01"],
                              "now": ["2026-03-02", "2026-03-15"], "shifts": [calm, moved], "rates": []})  # fmt: skip
    page = coe.get("/coe/inputs?lang=ja").text
    assert "学習時から変わったもの:チャネル構成。" in page
    assert page.index('id="input-channel"') < page.index('id="input-price"')
    assert "channel,0.4,0.02,changed,ec,0.1,0.5,900,300" in coe.get("/coe/inputs.csv").text
    token = form_token(page)
    assert coe.post("/coe/inputs", data={"form_token": token}).status_code == 303  # nothing was sold yet
    assert "まだ比べていません" in coe.get("/coe/inputs?lang=ja").text
