"""The customer's survey page: no script, no sign-in, nothing that tells who they are; one tap counts."""

from __future__ import annotations

import csv
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clerk_ui.commands import main
from clerk_ui.commands.reports import report_function
from clerk_ui.settings import Settings
from clerk_ui.survey import pages
from journey.database import writing
from journey.purchases import PosLine
from journey.questionnaires import Sampling, publish, save_draft
from journey.survey_invitations import Invitation, make_invitations
from journey.survey_tasks import SurveyTask
from journey.surveys import Answer
from tests.clerk_ui.conftest import Shop
from tests.journey.survey_people import TAP, WORDS, blank

NOW = datetime.now(UTC)


def bought(shop: Shop) -> None:
    """The customer bought something a few hours ago, and a published questionnaire asks everybody."""
    with writing(shop.engine) as session:
        session.add(
            blank(PosLine, receipt_id="R1", line_no=1, store_id="S1", channel="store", customer_id="0001",
                  customer_ref="0001", sold_at=NOW - timedelta(hours=4), local_day=1, product_id="P", quantity=1.0,
                  amount=100, clerk_id="C1")
        )  # fmt: skip
        draft = save_draft(session, survey_id="ONETAP-STORE", name="ご来店後", kind="one_tap", touchpoint="store",
                           questions=[TAP, WORDS], sampling=Sampling(share=1.0), by="coe", now=NOW)  # fmt: skip
        publish(session, "ONETAP-STORE", draft.version, by="coe", now=NOW)


@pytest.fixture
def link(shop: Shop) -> str:
    pages.GUESSES.clear()
    bought(shop)
    with writing(shop.engine) as session:
        from journey.questionnaires import published_version

        questionnaire = published_version(session, "ONETAP-STORE")
        assert questionnaire is not None
        [(_, token)] = make_invitations(session, questionnaire, secret="s", now=NOW, consent_by_default=True)
    return f"/survey/{token}"


@pytest.mark.parametrize(("language", "thanks"), [("ja", "ありがとうございます"), ("en", "Thank you")])
def test_one_tap_without_script_sign_in_or_cookie(shop: Shop, link: str, language: str, thanks: str) -> None:
    client = shop.app.test_client()
    headers = {"Accept-Language": language}
    first = client.get(link, headers=headers)
    assert first.status_code == 200
    assert "<script" not in first.text
    assert TAP.__getattribute__(language) in first.text
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in first.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in first.headers
    field, value = re.findall(r'name="(touchpoint:store)" value="(\d)"', first.text)[3]
    tapped = client.post(link, data={field: value}, headers=headers)
    assert tapped.status_code == 303
    after = client.get(tapped.location, headers=headers)
    assert thanks in after.text
    with writing(shop.engine) as session:
        assert session.scalars(select(Answer.score)).all() == [4]
        [touchpoint] = report_function("experience")(session)["touchpoints"]
        assert (touchpoint["touchpoint"], touchpoint["n"], touchpoint["csat"]) == ("store", 1, 75.0)
    said = client.post(f"{link}/comment", data={"comment": "<b>親切</b>"}, headers=headers)
    assert said.status_code == 303
    assert "<textarea" not in client.get(link, headers=headers).text
    with writing(shop.engine) as session:
        assert session.scalars(select(Answer.comment).where(Answer.question == "comment")).all() == ["<b>親切</b>"]


def test_the_page_tells_nobody_who_the_customer_is(shop: Shop, link: str) -> None:
    page = shop.app.test_client().get(link).text
    for trace in ("0001", "山田", "4900000000017", "R1", "C1", "佐藤", "S1"):
        assert trace not in page


def test_a_wrong_link_is_not_found_and_guessing_is_slowed_down(shop: Shop, link: str) -> None:
    client = shop.app.test_client()
    codes = [client.get(f"/survey/{n:043}").status_code for n in range(40)]
    assert codes[0] == 404
    assert codes[-1] == 429
    assert client.get(link).status_code == 200


def test_no_mark_is_told_and_nothing_kept(shop: Shop, link: str) -> None:
    client = shop.app.test_client()
    for form in ({}, {"touchpoint:store": "9"}, {"touchpoint:ec": "5"}):
        assert client.post(link, data=form).status_code == 422
    with writing(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_a_low_tap_opens_a_follow_up_that_names_no_clerk(shop: Shop, link: str) -> None:
    shop.app.test_client().post(link, data={"touchpoint:store": "1"})
    with writing(shop.engine) as session:
        [task] = session.scalars(select(SurveyTask)).all()
        assert (task.store_id, task.assignee) == ("S1", "M1")
    assert "clerk_id" not in SurveyTask.__table__.columns


def test_the_clerks_tablet_never_shows_invitations_or_answers(shop: Shop, link: str) -> None:
    clerk = shop.signed_in("C1")
    shop.app.test_client().post(link, data={"touchpoint:store": "1"})
    for address in ("/coe/surveys", "/store/voice", "/store/voice.csv"):
        assert clerk.get(address).status_code in (302, 403, 404)
    customer = json.dumps(clerk.get("/api/customers/0001").json, ensure_ascii=False)
    assert "survey" not in customer.lower() or "invit" not in customer.lower()


def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("OSUSUME_HOME", str(settings.storage.home))
    monkeypatch.setenv("OSUSUME_DATABASE_URL", settings.storage.database)
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def test_the_job_writes_a_delivery_file_whose_links_work_once(
    shop: Shop, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(shop)
    out = tmp_path / "links.csv"
    send = ("surveys", "send", "--out", str(out), "--base", "https://example.test/")
    assert run(settings, monkeypatch, *send, "--json", "--qr", str(tmp_path / "qr")) == 0
    [row] = list(csv.DictReader(out.open(encoding="utf-8")))
    assert (row["survey_id"], row["customer_id"], row["store_id"]) == ("ONETAP-STORE", "0001", "S1")
    path = row["link"].removeprefix("https://example.test")
    assert shop.app.test_client().get(path).status_code == 200
    assert out.stat().st_mode & 0o077 == 0
    drawn = (tmp_path / "qr" / row["qr"]).read_text()
    assert "<svg" in drawn
    assert "0001" not in row["qr"]
    with writing(shop.engine) as session:
        assert path.rsplit("/")[-1] not in json.dumps([str(i.__dict__) for i in session.scalars(select(Invitation))])
    assert run(settings, monkeypatch, *send) == 2  # the file is there: its links must not be overwritten
    assert run(settings, monkeypatch, "surveys", "send", "--out", str(tmp_path / "b.csv")) == 2  # no address
    more = tmp_path / "more.csv"
    assert run(settings, monkeypatch, "surveys", "send", "--out", str(more), "--base", "https://example.test") == 0
    assert list(csv.DictReader(more.open(encoding="utf-8"))) == []


def test_a_webhook_takes_the_links_and_one_that_refuses_leaves_nobody_asked(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(shop)
    taken: list[bytes] = []
    status = [500]

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    send = ("surveys", "send", "--webhook", f"http://127.0.0.1:{server.server_port}/", "--base", "https://example.test")
    try:
        assert run(settings, monkeypatch, *send) == 2
        with writing(shop.engine) as session:
            assert session.scalar(select(func.count()).select_from(Invitation)) == 0
        status[0] = 204
        assert run(settings, monkeypatch, *send) == 0
    finally:
        server.shutdown()
        server.server_close()
    [invitation] = json.loads(taken[-1])["invitations"]
    assert invitation["customer_id"] == "0001"
    assert shop.app.test_client().get(invitation["link"].removeprefix("https://example.test")).status_code == 200
