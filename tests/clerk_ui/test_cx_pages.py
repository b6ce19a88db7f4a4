"""The pages of the CX loop: the same figures as the reports, by role, in both languages, from finding to action."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from analytics.dependence import closure_report
from analytics.kept import KEPT
from clerk_ui.coe.words import note_text
from clerk_ui.commands.reports import report_function
from clerk_ui.kept_results import refresh
from journey.accounts import add_account
from journey.actions import ActionPlan
from journey.analysis_results import stored_result, stored_rows
from journey.audit import AuditEntry
from journey.database import reading, writing
from journey.erasure import erase_customer
from journey.units import assign_member
from tests.clerk_ui.conftest import PASSWORD, Shop
from tests.clerk_ui.test_management_pages import browser, form_token
from tests.heard_customers import heard_customers

NOW = datetime.now(UTC).replace(microsecond=0)
KINDS = ("experience", "drivers", "voice", "assortment", "ltv", "actions", "journeys", "coupons")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """These pages only read what tests of their tables and analyses prove on both databases."""
    return sqlite_url


@pytest.fixture
def chain(shop: Shop) -> Shop:
    """The shop with two hundred customers who buy and answer."""
    with writing(shop.engine) as session:
        heard_customers(session, now=NOW, products=("4901234567894", "4901234567900"))
    return shop


def make(shop: Shop, *kinds: str) -> None:
    refresh(shop.engine, now=NOW, timezone="Asia/Tokyo", kinds=kinds)


def plain(document: Any) -> Any:
    return json.loads(json.dumps(document, default=lambda v: v.item() if hasattr(v, "item") else str(v)))


def test_the_kept_results_are_the_reports(chain: Shop) -> None:
    make(chain)
    with reading(chain.engine) as session:
        for kind in KINDS:
            offered = {"now": NOW} if kind == "actions" else {}
            told = plain(report_function(kind)(session, timezone="Asia/Tokyo", **offered))
            stored = stored_result(session, kind)
            assert stored is not None
            main = KEPT[kind].rows
            assert {k: v for k, v in told.items() if k != main}.items() <= stored.document.items(), kind
            by_name = {json.dumps(row, sort_keys=True) for row in told[main]}
            assert {json.dumps(row, sort_keys=True) for row in stored.document[main]} <= by_name, kind
            rows = stored_rows(session, kind)
            assert rows is not None
            assert len(list(csv.DictReader(io.StringIO(rows.decode("utf-8-sig"))))) == len(told[main]), kind


def test_the_screens_show_the_figures_of_the_report(chain: Shop) -> None:
    make(chain, "experience", "drivers")
    coe = browser(chain, "coe")
    with reading(chain.engine) as session:
        experience = report_function("experience")(session, timezone="Asia/Tokyo")
        drivers = report_function("drivers")(session, timezone="Asia/Tokyo")
    page = coe.get("/coe/cx?lang=en").text
    for part in ("overall", "heart", "head"):
        assert f'<p class="stat__value figure">{experience[part]["score"]:.1f}'.rstrip("0").rstrip(".") in page
    for row in experience["touchpoints"]:
        assert f"{row['csat']:.1f}".rstrip("0").rstrip(".") in page
    page = coe.get("/coe/drivers?lang=en").text
    cells = re.findall(r"([\d.]+)% \(([\d.]+)% to ([\d.]+)%\)", page)
    shown = [tuple(float(x) for x in row) for row in cells]
    told = [tuple(round(100 * row[k], 1) for k in ("lmg", "low", "high")) for row in drivers["drivers"]]
    assert shown == told
    assert coe.get("/coe/drivers?kgi=heart&lang=en").text.count("map__point ") == 2
    assert coe.get("/coe/drivers?kgi=rubbish").status_code == 200


def test_voices_risks_assortment_and_value_show_what_the_reports_say(chain: Shop) -> None:
    make(chain, "voice", "risks", "assortment", "ltv")
    coe = browser(chain, "coe")
    with reading(chain.engine) as session:
        voice, assortment, ltv = (report_function(name)(session, timezone="Asia/Tokyo") for name in
                                  ("voice", "assortment", "ltv"))  # fmt: skip
        risks = KEPT["risks"].report(session, timezone="Asia/Tokyo")
    page = coe.get("/coe/voice?lang=ja").text
    for row in voice["themes"]:
        assert f"n={row['n']} " in page
        assert row["comments"][0]["text"] in page
    assert f"{voice['accuracy']['accuracy']:.1%}" in page
    page = coe.get("/coe/assortment?lang=en").text
    best = max(assortment["products"], key=lambda row: row["loss_if_delisted"])
    assert f"{round(best['loss_if_delisted']):,}" in page
    other = min(assortment["products"], key=lambda row: row["loss_if_delisted"] or 0.0)
    page = coe.get(f"/coe/assortment?product={other['product_id']}&lang=en").text.split('id="what-if"')[1]
    assert f"{round(other['loss_if_delisted'] or 0):,}" in page
    assert f"{round(other['sales']):,}" in page
    assert "No product that anybody bought fits" in coe.get("/coe/assortment?product=nothing&lang=en").text
    page = coe.get("/coe/ltv?lang=en").text
    for row in ltv["segments"]:
        assert f"{round(row['total_value']):,}" in page
    assert page.count("map__point") == len(ltv["calibration"]["bins"])
    one = ltv["customers"][5]
    page = coe.get(f"/coe/ltv?customer={one['customer_id']}&lang=en").text
    assert f"{one['customer_id']}: " in page
    assert f"{one['expected_purchases']:.1f}".removesuffix(".0") + " purchases" in page
    assert "No such customer" in coe.get("/coe/ltv?customer=nobody&lang=en").text
    page = coe.get("/coe/risks?lang=en").text
    assert f"{risks['single_touchpoint']['customer_share']:.1%}" in page
    assert f"{round(risks['closures'][0]['at_stake_high']):,}" in page
    rows = list(csv.DictReader(io.StringIO(coe.get("/coe/risks/closures.csv").data.decode("utf-8-sig"))))
    assert float(rows[0]["at_stake_high"]) == pytest.approx(risks["closures"][0]["at_stake_high"])
    with writing(chain.engine) as session:
        assert "voices.read" in session.scalars(select(AuditEntry.action)).all()


def test_what_if_a_store_cut_its_hours(chain: Shop) -> None:
    coe = browser(chain, "coe")
    with reading(chain.engine) as session:
        told = closure_report(session, "S1", hours=(0, 24))
    page = coe.get("/coe/risks?store=S1&from=0&until=24&lang=en").text
    assert told["customers"] == 100
    assert f"touches {told['customers']} customers" in page
    for wrong in ("store=S1&from=22&until=20", "store=S1&from=x&until=20", "store=NONE&from=1&until=2", "store=S1"):
        answer = coe.get(f"/coe/risks?{wrong}&lang=en")
        assert answer.status_code == 200
        assert "Check the store and the hours" in answer.text


PAGES = (
    "/coe/cx", "/coe/drivers", "/coe/voice", "/coe/risks", "/coe/assortment", "/coe/ltv", "/coe/actions",
    "/coe/actions/new", "/coe/tree", "/coe/brief", "/coe/units",
)  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "en"])
def test_an_empty_record_says_what_is_missing_on_every_page(shop: Shop, language: str) -> None:
    coe = browser(shop, "coe")
    for address in PAGES:
        answer = coe.get(f"{address}?lang={language}")
        assert answer.status_code == 200, address
        assert f'<html lang="{language}">' in answer.text
    make(shop)  # analyses of nothing say so, too
    for address in PAGES:
        assert coe.get(f"{address}?lang={language}").status_code == 200, address


def test_pages_are_not_for_managers_clerks_or_strangers(shop: Shop) -> None:
    manager = browser(shop, "manager", "S1")
    for address in (*PAGES, "/coe/results/experience.csv", "/coe/brief.json"):
        assert manager.get(address).status_code == 403, address
        assert shop.app.test_client().get(address).status_code == 302, address


def test_english_notes_are_told_in_japanese(chain: Shop) -> None:
    make(chain)
    with reading(chain.engine) as session, chain.app.test_request_context("/?lang=ja"):
        notes = [n for kind in KEPT for n in stored_result(session, kind).document["notes"]]  # type: ignore[union-attr]
        assert notes
        untold = [note for note in notes if note_text(note)[1] == "en"]
    assert untold == []
    with chain.app.test_request_context("/?lang=ja"):
        assert (
            note_text("NPS rests on 12 answers; read the interval.")[0]
            == "NPSは12件の回答によります。区間で読んでください。"
        )
        assert note_text("something new") == ("something new", "en")


def form(page: str, **given: Any) -> dict[str, Any]:
    start = {"finding": "店舗の評価が低い", "unit": "店舗運営部", "area": "接客", "owner_id": "M1", "kpi": "csat:store",
             "baseline": "61.5", "target": "70", "source": "drivers", "stores": ["S1"],
             "starts_on": (NOW.date() - timedelta(days=40)).isoformat(), "due_on": NOW.date().isoformat()}  # fmt: skip
    return start | given | {"form_token": form_token(page)}


def open_action_of(client: FlaskClient, **given: Any) -> Any:
    page = client.get("/coe/actions/new?finding=%E5%BA%97&kpi=csat:store&baseline=61.5").text
    return client.post("/coe/actions", data=form(page, **given))


def test_from_a_finding_to_an_action_with_its_effect(chain: Shop) -> None:
    make(chain, "experience", "drivers")
    coe = browser(chain, "coe")
    link = re.search(r'href="(/coe/actions/new\?finding=[^"]+kpi=csat%3Astore[^"]*)"', coe.get("/coe/drivers").text)
    assert link
    prefilled = coe.get(link[1].replace("&amp;", "&")).text
    assert re.search(r'<option value="csat:store" selected>', prefilled)
    assert open_action_of(coe).status_code == 303
    with writing(chain.engine) as session:
        plan = session.scalars(select(ActionPlan)).one()
        assert (plan.state, plan.owner, plan.unit, plan.area, plan.baseline, plan.source) == (
            "proposed", "高橋 店長", "店舗運営部", "接客", 61.5, "drivers",
        )  # fmt: skip
        action = plan.action_id
    token = {"form_token": form_token(coe.get("/coe/actions/new").text)}
    assert coe.post(f"/coe/actions/{action}/state", data=token | {"state": "done"}).status_code == 409
    assert coe.post(f"/coe/actions/{action}/state", data=token | {"state": "running"}).status_code == 303
    assert "次の集計で推定します" in coe.get("/coe/actions?lang=ja").text
    make(chain, "actions")
    with reading(chain.engine) as session:
        [told] = report_function("actions")(session, timezone="Asia/Tokyo", now=NOW)["actions"]
    page = coe.get("/coe/actions?lang=en").text
    effect, low, high = (f"{told[part]:+.1f}".removesuffix(".0") for part in ("effect", "low", "high"))  # as pages do
    assert f"{effect} points" in page
    assert f"{low} points to {high} points" in page
    assert "店舗の評価が低い" in coe.get("/coe/tree").text
    week = coe.get("/coe/brief.json").json
    assert week["actions"][0]["action_id"] == action
    assert week["kgi"]["overall"]["n"] == 200
    [row] = list(csv.DictReader(io.StringIO(coe.get("/coe/actions.csv").data.decode("utf-8-sig"))))
    assert float(row["effect"]) == pytest.approx(told["effect"])
    assert (
        coe.post(f"/coe/actions/{action}/state", data=token | {"state": "done", "outcome": "研修が効いた"}).status_code
        == 303
    )
    assert "研修が効いた" in coe.get("/coe/actions").text
    with writing(chain.engine) as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == action)).all()
        assert acts == ["action.opened", "action.running", "action.done"]


@pytest.mark.parametrize(
    "given",
    [
        {"finding": " "}, {"unit": ""}, {"owner_id": "C1"}, {"owner_id": ""}, {"kpi": ""}, {"kpi": "luck"},
        {"baseline": "viele"}, {"target": "inf"}, {"due_on": "2020-01-01"}, {"starts_on": ""},
        {"comparison_stores": ["S1"]},
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_comes_back_with_what_was_typed(shop: Shop, given: dict[str, Any]) -> None:
    answer = open_action_of(browser(shop, "coe"), **given)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "店舗運営部" in answer.text or "unit" in given
    with writing(shop.engine) as session:
        assert session.scalars(select(ActionPlan)).all() == []


def test_a_head_sees_and_moves_only_the_own_units_actions(shop: Shop) -> None:
    coe = browser(shop, "coe")
    open_action_of(coe)
    open_action_of(coe, unit="EC事業部", finding="ECの秘密の計画")
    with writing(shop.engine) as session:
        add_account(session, account_id="bucho", name="部長", role="head", password=PASSWORD, now=NOW)
        assign_member(session, unit="店舗運営部", area="", account_id="bucho", part="head", by="coe", now=NOW)
        other = session.scalars(select(ActionPlan.action_id).where(ActionPlan.unit == "EC事業部")).one()
        own = session.scalars(select(ActionPlan.action_id).where(ActionPlan.unit == "店舗運営部")).one()
    head = shop.app.test_client()
    token = form_token(head.get("/sign-in").text)
    signed = head.post("/sign-in", data={"account_id": "bucho", "password": PASSWORD, "form_token": token})
    assert signed.location == "/coe/actions"
    page = head.get("/coe/actions").text
    assert "店舗の評価が低い" in page
    assert "ECの秘密の計画" not in page
    assert "ECの秘密" not in head.get("/coe/actions.csv").text
    token_field = {"form_token": form_token(head.get("/coe/actions/new").text)}
    assert head.post(f"/coe/actions/{other}/state", data=token_field | {"state": "running"}).status_code == 403
    assert head.post(f"/coe/actions/{own}/state", data=token_field | {"state": "running"}).status_code == 303
    assert open_action_of(head, unit="EC事業部").status_code == 403
    assert open_action_of(head).status_code == 303
    for address in ("/coe/cx", "/coe/tree", "/coe/", "/coe/data", "/store/"):
        assert head.get(address).status_code == 403, address
    with writing(shop.engine) as session:
        assert session.get(ActionPlan, other).state == "proposed"  # type: ignore[union-attr]


def test_the_organisation_is_kept_on_its_page(shop: Shop) -> None:
    coe = browser(shop, "coe")
    token = form_token(coe.get("/coe/units").text)
    given = {"form_token": token, "unit": "店舗運営部", "area": "接客", "account_id": "the-coe", "part": "lead"}
    assert coe.post("/coe/units", data=given).status_code == 303
    assert coe.post("/coe/units", data=given | {"area": ""}).status_code == 422
    page = coe.get("/coe/units?lang=ja").text
    assert "領域リーダー" in page
    assert "部門長のいない部門があります:店舗運営部" in page
    assert coe.post("/coe/units", data=given | {"remove": "1"}).status_code == 303
    assert "領域リーダー</span>" not in coe.get("/coe/units?lang=ja").text


def test_an_erased_customer_leaves_the_kept_results(chain: Shop) -> None:
    make(chain, "ltv", "voice", "experience")
    with writing(chain.engine) as session:
        held = stored_rows(session, "ltv")
        assert held is not None
        assert b"C17," in held
        erase_customer(session, "C17", actor="coe", now=NOW)
    with reading(chain.engine) as session:
        for kind in ("ltv", "voice", "experience"):
            assert (stored_result(session, kind) is None) == KEPT[kind].names_persons, kind


def test_renewing_needs_the_form_and_leads_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr("clerk_ui.coe.kept.refresh_in_background", started.append)
    coe = browser(shop, "coe")
    assert coe.post("/coe/results/refresh", data={"from": "/coe/cx"}).status_code == 403
    token = form_token(coe.get("/coe/cx").text)
    answer = coe.post("/coe/results/refresh", data={"from": "/coe/drivers?x=1", "form_token": token})
    assert answer.location == "/coe/drivers?refreshing=1"
    assert len(started) == 1
    away = coe.post("/coe/results/refresh", data={"from": "https://elsewhere.test/", "form_token": token})
    assert away.location == "/coe/cx?refreshing=1"
    assert len(started) == 1  # pressed again at once: one run is enough
    assert coe.get("/coe/results/nothing.csv").status_code == 404
