"""The pages of managers and the CoE: who may see them, what they say, and what they leave in the audit log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from analytics.staff_success import roll_up
from clerk_ui.settings import Settings
from journey.accounts import add_account
from journey.audit import AuditEntry
from journey.database import writing
from journey.intake.ledger import QuarantinedRow
from journey.outcomes import Outcome
from journey.suggestions import Suggestion
from recommender.registry import Registry
from recommender.trained import ItemNeighbours, RankedLists, TrainedModel
from tests.clerk_ui.conftest import PASSWORD, Shop

NOW = datetime.now(UTC)


def browser(shop: Shop, role: str, store_id: str | None = None) -> FlaskClient:
    """A browser in which somebody with that role has signed in by password."""
    with writing(shop.engine) as session:
        add_account(
            session, account_id=f"the-{role}", name=role, role=role, store_id=store_id, password=PASSWORD, now=NOW
        )
    client = shop.app.test_client()
    token = form_token(client.get("/sign-in").text)
    form = {"account_id": f"the-{role}", "password": PASSWORD, "form_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


def proposals(shop: Shop, clerk: str, store: str, bought: int, of: int) -> None:
    with writing(shop.engine) as session:
        for number in range(of):
            name = f"{clerk}-{number}"
            shown_at = NOW - timedelta(days=1 + number % 20)
            session.add(
                Suggestion(suggestion_id=name, customer_id="0001", store_id=store, clerk_id=clerk, shown_at=shown_at,
                           product_id="P", rank=1)
            )  # fmt: skip
            result = "bought" if number < bought else "declined"
            session.add(
                Outcome(outcome_id=name, suggestion_id=name, clerk_id=clerk, occurred_at=shown_at, result=result)
            )
        session.flush()
        roll_up(session, now=NOW)


def test_a_manager_sees_the_own_store_with_n_interval_and_expectation(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 45, 60)
    proposals(shop, "C2", "S1", 3, 10)
    proposals(shop, "C9", "S2", 15, 60)
    page = browser(shop, "manager", "S1").get("/store/?lang=ja").text
    rows = re.findall(r'<th scope="row" class="linkrow">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    figures = {name: re.findall(r'<td class="number">([^<]*)</td>', row) for name, row in rows}
    assert [f[:2] for f in figures.values()] == [["60", "45"], ["10", "3"]]
    assert "30件未満のため比べません" in rows[1][1]
    assert "比べません" not in rows[0][1]
    assert "interval__range" in rows[0][1]
    with writing(shop.engine) as session:
        acts = session.execute(
            select(AuditEntry.actor, AuditEntry.subject_id).where(AuditEntry.action == "staff.viewed")
        )
        assert acts.all() == [("account:the-manager", "S1")]


def test_a_manager_cannot_see_another_store_which_has_figures(shop: Shop) -> None:
    proposals(shop, "C9", "S2", 15, 60)
    manager = browser(shop, "manager", "S1")
    assert manager.get("/store/?store=S2").status_code == 403
    assert manager.get("/store/team.csv?store=S2").status_code == 403
    assert browser(shop, "coe").get("/store/team.csv?store=S2").text.count("C9") == 1


@pytest.mark.parametrize("address", ["/store/", "/coe/", "/coe/data"])
def test_strangers_are_sent_to_sign_in(shop: Shop, address: str) -> None:
    answer = shop.app.test_client().get(address)
    assert answer.status_code == 302
    assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("address", ["/coe/", "/coe/data", "/coe/quarantine.csv"])
def test_the_coe_pages_are_not_for_managers(shop: Shop, address: str) -> None:
    assert browser(shop, "manager", "S1").get(address).status_code == 403


@pytest.mark.parametrize("address", ["/store/", "/coe/", "/coe/data"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_an_empty_record_gives_a_page_that_says_what_is_missing(shop: Shop, address: str, language: str) -> None:
    answer = browser(shop, "coe").get(f"{address}?lang={language}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text


def a_model(value: float, seed: int) -> TrainedModel:
    return TrainedModel(
        cut_off=NOW, product_ids=["P"], customer_ids=[], store_ids=[], ahead=RankedLists.empty(0),
        cold=RankedLists.empty(1), copurchase=ItemNeighbours.empty(1), coview=ItemNeighbours.empty(1), parameters={},
        metrics={"guard": {"evaluation": "last baskets", "metric": "ndcg@10", "value": value}}, stage_seconds={},
        rows=100, seed=seed, arrays={"seed": np.array([seed])},
    )  # fmt: skip


def test_the_coe_promotes_and_rolls_back_and_a_worse_model_is_refused(shop: Shop, settings: Settings) -> None:
    registry = Registry(settings.storage.home)
    first = registry.add(a_model(0.20, 1), now=NOW - timedelta(days=2))
    better = registry.add(a_model(0.25, 2), now=NOW - timedelta(days=1))
    worse = registry.add(a_model(0.10, 3), now=NOW)
    coe = browser(shop, "coe")
    token = {"form_token": form_token(coe.get("/coe/").text)}

    assert coe.post(f"/coe/models/{better}/promotion", data=token).status_code == 303
    assert registry.current_version() == better
    refused = coe.post(f"/coe/models/{worse}/promotion?lang=en", data=token)
    assert (refused.status_code, registry.current_version()) == (409, better)
    assert "0.1000" in refused.text
    assert "0.2500" in refused.text
    assert coe.post("/coe/models/rollback", data=token).status_code == 303
    assert registry.current_version() == first
    assert coe.post(f"/coe/models/{better}/promotion", data={}).status_code == 403  # a foreign page has no token
    assert registry.current_version() == first


def test_kept_out_rows_are_shown_with_their_reason_and_exported_harmlessly(shop: Shop) -> None:
    with writing(shop.engine) as session:
        session.add(
            QuarantinedRow(run_id=1, table_name="pos_lines", file="pos_lines.csv", line=7, kind="bad", state="open",
                           reason="quantity is 0", raw={"receipt_id": "<b>R</b>"}, digest="d", kept_at=NOW)
        )  # fmt: skip
        session.add(
            QuarantinedRow(run_id=1, table_name="pos_lines", file="pos_lines.csv", line=8, kind="bad", state="open",
                           reason="=1+1", raw={}, digest="e", kept_at=NOW)
        )  # fmt: skip
    coe = browser(shop, "coe")
    page = coe.get("/coe/data").text
    assert "pos_lines.csv:7" in page
    assert "quantity is 0" in page
    assert "<b>R</b>" not in page
    assert "'=1+1" in coe.get("/coe/quarantine.csv").text
