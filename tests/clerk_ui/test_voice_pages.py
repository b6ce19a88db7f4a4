"""Surveys on the CoE's page, and the manager's follow-ups: who sees what, and never a single answer."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from journey.accounts import add_account
from journey.audit import AuditEntry
from journey.customers import Customer
from journey.database import writing
from journey.questionnaires import Questionnaire, find_version
from journey.survey_tasks import SurveyTask
from journey.surveys import Answer, Survey
from tests.clerk_ui.conftest import PASSWORD, Shop
from tests.clerk_ui.test_management_pages import browser, form_token
from tests.journey.survey_people import blank

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The tables behind these pages are tested on both databases elsewhere."""
    return sqlite_url


def filled_in(page: str, **changed: Any) -> dict[str, Any]:
    """The form as a browser would send it."""
    form: dict[str, Any] = {}
    for tag in re.findall(r"<select[^>]*>.*?</select>|<input[^>]*>", page, re.DOTALL):
        name = re.search(r'name="([^"]+)"', tag)
        if name is None:
            continue
        chosen = re.search(r'<option value="([^"]*)" selected', tag) or re.search(r'<option value="([^"]*)"', tag)
        value = chosen if tag.startswith("<select") else re.search(r'value="([^"]*)"', tag)
        form.setdefault(name[1], []).append(value[1] if value else "")
    return form | {name: value if isinstance(value, list) else [value] for name, value in changed.items()}


def test_the_coe_makes_publishes_and_renews_a_survey(shop: Shop) -> None:
    coe = browser(shop, "coe")
    assert "アンケートはまだありません" in coe.get("/coe/surveys?lang=ja").text
    form = filled_in(coe.get("/coe/surveys/new?template=visit").text)
    saved = coe.post("/coe/surveys", data=form)
    assert saved.location == "/coe/surveys/ONETAP-STORE/1"
    page = coe.get(saved.location).text
    assert "本日のご来店はいかがでしたか?" in page
    assert "20.0%" in page
    preview = coe.get(f"{saved.location}/preview?lang=en").text
    assert "How was your visit?" in preview
    assert preview.count("disabled") == 5
    token = {"form_token": form_token(coe.get("/coe/surveys").text)}
    assert coe.post("/coe/surveys/ONETAP-STORE/1/publication", data={}).status_code == 403
    assert coe.post("/coe/surveys/ONETAP-STORE/1/publication", data=token).status_code == 303
    assert coe.post("/coe/surveys/ONETAP-STORE/1/publication", data=token).status_code == 409
    form = filled_in(coe.get("/coe/surveys/ONETAP-STORE/draft").text, share="50", low_score="")
    assert coe.post("/coe/surveys", data=form).location == "/coe/surveys/ONETAP-STORE/2"
    with writing(shop.engine) as session:
        first, second = (find_version(session, "ONETAP-STORE", n) for n in (1, 2))
        assert (first.state, first.share, first.low_score) == ("published", 0.2, 2)
        assert (second.state, second.share, second.low_score) == ("draft", 0.5, None)
        assert session.get(Survey, "ONETAP-STORE").touchpoint == "store"  # type: ignore[union-attr]
    assert coe.post("/coe/surveys/ONETAP-STORE/retirement", data=token).status_code == 303
    assert coe.post("/coe/surveys/ONETAP-STORE/retirement", data=token).status_code == 409
    rows = list(csv.DictReader(io.StringIO(coe.get("/coe/surveys.csv").data.decode("utf-8-sig"))))
    assert [(row["version"], row["state"], row["asked"]) for row in rows] == [
        ("2", "draft", "0"),
        ("1", "retired", "0"),
    ]
    with writing(shop.engine) as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "survey")).all()
        assert acts == ["survey.drafted", "survey.published", "survey.drafted", "survey.retired"]


def test_the_periodic_template_is_a_questionnaire_the_analyses_know(shop: Shop) -> None:
    coe = browser(shop, "coe")
    for template in ("periodic", "delivery"):
        form = filled_in(coe.get(f"/coe/surveys/new?template={template}").text)
        assert coe.post("/coe/surveys", data=form).status_code == 303
    with writing(shop.engine) as session:
        [periodic] = session.scalars(select(Questionnaire).where(Questionnaire.kind == "periodic"))
        assert periodic.tap.question == "overall"
        assert {q.touchpoint for q in periodic.asked if q.question == "touchpoint"} == {
            "store",
            "app",
            "ec",
            "delivery",
        }


@pytest.mark.parametrize(
    "changed",
    [{"name": ""}, {"survey_id": "a b"}, {"share": "viel"}, {"share": "0"}, {"valid_days": "-1"}, {"q_low": ["x"] * 5},
     {"q_question": [""] * 5}, {"q_ja": [""] * 5}],
)  # fmt: skip
def test_a_survey_that_cannot_be_comes_back_as_typed(shop: Shop, changed: dict[str, Any]) -> None:
    coe = browser(shop, "coe")
    page = coe.get("/coe/surveys/new?template=visit").text
    answer = coe.post("/coe/surveys", data=filled_in(page, **changed))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "ご来店後ワンタップアンケート" in answer.text or "name" in changed
    with writing(shop.engine) as session:
        assert session.scalars(select(Questionnaire)).all() == []


def answers(shop: Shop, people: int, store: str = "S1") -> None:
    with writing(shop.engine) as session:
        for n in range(people):
            customer = f"{store}-{n}"
            session.add(blank(Customer, customer_id=customer, name=f"客 {customer}"))
            session.add(
                blank(Answer, response_id=f"A-{customer}", question="touchpoint", touchpoint="store", survey_id="V",
                      customer_id=customer, customer_ref=customer, store_id=store, score=float(1 + n % 5),
                      scale_min=1.0, scale_max=5.0, answered_at=NOW - timedelta(days=1),
                      comment=f"レジで{n}分待たされました")
            )  # fmt: skip


def low_score(shop: Shop, task_id: str, store: str = "S1", days_late: int = 0) -> None:
    with writing(shop.engine) as session:
        session.add(
            SurveyTask(task_id=task_id, response_id=f"A-{store}-0", survey_id="V", customer_id="0001",
                       customer_ref="0001", store_id=store, touchpoint="store", score=1.0, scale_max=5.0,
                       opened_at=NOW - timedelta(days=5), due_on=NOW.date() - timedelta(days=days_late),
                       assignee="M1", done_at=None, done_by=None, note=None)
        )  # fmt: skip


def test_a_manager_reads_figures_of_five_persons_and_no_single_answer(shop: Shop) -> None:
    answers(shop, 4)
    answers(shop, 6, store="S2")
    manager = browser(shop, "manager", "S1")
    page = manager.get("/store/voice?lang=ja").text
    assert "表示できる回答がまだありません" in page
    assert "interval__range" not in page
    assert "待たされました" not in page
    answers_of = browser(shop, "coe").get("/store/voice?store=S2&lang=ja").text
    assert "interval__range" in answers_of
    assert "待ち時間・混雑 6件" in answers_of
    assert "待たされました" not in answers_of  # words are shown with a follow-up only
    assert manager.get("/store/voice?store=S2").status_code == 403
    assert manager.get("/store/voice.csv?store=S2").status_code == 403


def test_a_follow_up_is_given_to_a_colleague_and_closed_with_a_note(shop: Shop) -> None:
    answers(shop, 1)
    low_score(shop, "t1", days_late=2)
    manager = browser(shop, "manager", "S1")
    page = manager.get("/store/voice?lang=ja").text
    assert "うち1人は期限を過ぎています" in page
    assert "山田 太郎 様" in page
    assert "レジで0分待たされました" in page
    assert "佐藤 花子" not in re.sub(r"<option.*?</option>", "", page)  # who served stays out of it
    token = {"form_token": form_token(page)}
    assert manager.post("/store/voice/tasks/t1", data=token | {"assignee": "C9"}).status_code == 403  # another store's
    assert manager.post("/store/voice/tasks/t1", data=token | {"assignee": "C1"}).status_code == 303
    assert manager.post("/store/voice/tasks/t1", data=token | {"note": " "}).status_code == 422
    assert manager.post("/store/voice/tasks/t1", data={"note": "x"}).status_code == 403
    assert manager.post("/store/voice/tasks/t1", data=token | {"note": "お電話しました"}).status_code == 303
    page = manager.get("/store/voice?lang=ja").text
    assert "対応が必要なお客様はいません" in page
    assert "お電話しました" in page
    [row] = list(csv.DictReader(io.StringIO(manager.get("/store/voice.csv").data.decode("utf-8-sig"))))
    assert (row["assignee"], row["done_by"], row["note"]) == ("account C1", "the-manager", "お電話しました")
    assert "山田" not in ",".join(row.values())
    with writing(shop.engine) as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == "t1")).all()
        assert acts == ["survey.task_assigned", "survey.task_done"]


def test_another_stores_follow_up_is_out_of_reach(shop: Shop) -> None:
    low_score(shop, "t2", store="S2")
    manager = browser(shop, "manager", "S1")
    token = {"form_token": form_token(manager.get("/store/voice").text)}
    assert manager.post("/store/voice/tasks/t2", data=token | {"note": "x"}).status_code == 403
    assert manager.post("/store/voice/tasks/none", data=token | {"note": "x"}).status_code == 404
    coe = browser(shop, "coe")
    token = {"form_token": form_token(coe.get("/store/voice?store=S2").text)}
    assert coe.post("/store/voice/tasks/t2", data=token | {"note": "CoEから連絡"}).status_code == 303


def a_clerk(shop: Shop) -> FlaskClient:
    with writing(shop.engine) as session:
        add_account(session, account_id="clerk", name="係", role="clerk", store_id="S1", password=PASSWORD, now=NOW)
    client = shop.app.test_client()
    token = form_token(client.get("/sign-in").text)
    client.post("/sign-in", data={"account_id": "clerk", "password": PASSWORD, "form_token": token})
    return client


def test_clerks_see_neither_surveys_nor_follow_ups(shop: Shop) -> None:
    clerk = a_clerk(shop)
    for address in ("/store/voice", "/store/voice.csv", "/coe/surveys", "/coe/surveys.csv", "/coe/surveys/new"):
        assert clerk.get(address).status_code == 403, address
    manager = browser(shop, "manager", "S1")
    assert manager.get("/coe/surveys").status_code == 403


@pytest.mark.parametrize("language", ["ja", "en"])
def test_empty_pages_say_what_is_missing(shop: Shop, language: str) -> None:
    coe = browser(shop, "coe")
    for address in ("/store/voice", "/coe/surveys", "/coe/surveys/new"):
        answer = coe.get(f"{address}?lang={language}")
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text
