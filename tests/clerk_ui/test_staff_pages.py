"""The person's page: for the clerk first, for the manager of the store, for nobody else; contests and coaching."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from analytics import know_how, staff_success
from analytics.staff_success import roll_up
from clerk_ui.languages import catalogue
from journey.accounts import Account
from journey.analysis_results import keep_result
from journey.audit import AuditEntry
from journey.contests import OutcomeContest
from journey.database import reading, writing
from journey.know_how_cards import KnowHowCard
from journey.outcomes import Outcome
from journey.suggestions import Suggestion
from tests.clerk_ui.conftest import PASSWORD_HASH, Shop
from tests.clerk_ui.test_management_pages import browser, form_token, proposals

NOW = datetime.now(UTC)
PAGES = ("/store/", "/store/know-how", "/store/contests", "/store/people/C1", "/store/people/C1/rows",
         "/store/know-how/cards/new", "/store/know-how/cards/new?practice=few")  # fmt: skip


def clerk_browser(shop: Shop, clerk_id: str = "C1") -> FlaskClient:
    """A clerk on the store's tablet, signed in by PIN."""
    client = shop.signed_in(clerk_id, "S2" if clerk_id == "C9" else "S1")
    client.environ_base.pop("HTTP_X_OSUSUME_TABLET")
    return client


def post(client: FlaskClient, page: str, address: str, **fields: str) -> Any:
    return client.post(address, data=fields | {"form_token": form_token(client.get(page).text)})


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_useful_before_the_first_proposal(shop: Shop, language: str) -> None:
    manager = browser(shop, "manager", "S1")
    for page in PAGES:
        answer = manager.get(f"{page}{'&' if '?' in page else '?'}lang={language}")
        assert answer.status_code == 200, (page, answer.text[:300])
        assert "osusume rollup" in answer.text or "/store/people" not in page or "rows" in page
    mine = clerk_browser(shop).get(f"/store/me?lang={language}")
    assert mine.status_code == 200
    assert catalogue(language)["staff.person_nothing"] in mine.text
    coe = browser(shop, "coe")
    assert coe.get(f"/store/?store=S2&lang={language}").status_code == 200


def test_one_clerk_with_one_proposal_is_shown_and_not_judged(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 1, 1)
    manager = browser(shop, "manager", "S1")
    team = manager.get("/store/?lang=ja").text
    assert catalogue("ja")["store.too_early"].format(least=30) in team
    assert "chart__point" not in team
    person = manager.get("/store/people/C1?lang=ja").text
    assert catalogue("ja")["staff.person_few"].format(n=1, least=30) in person
    assert catalogue("ja")["staff.top_fifth"] not in person
    for days in (28, 91, 365, 0):
        assert manager.get(f"/store/people/C1?days={days}").status_code == 200


def test_a_clerk_sees_the_own_page_and_who_looked_at_it(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 45, 60)
    proposals(shop, "C2", "S1", 15, 60)
    clerk = clerk_browser(shop)
    page = clerk.get("/store/me?lang=ja").text
    assert catalogue("ja")["staff.no_viewers"] in page
    assert "鈴木 一郎" not in page
    with reading(shop.engine) as session:
        row = next(r for r in staff_success.report(session)["clerks"] if r["clerk_id"] == "C1")
    assert f"{row['shrunk_rate']:.1%}" in page
    manager = browser(shop, "manager", "S1")
    assert manager.get("/store/people/C1").status_code == 200
    seen = clerk.get("/store/me?lang=ja").text
    assert "・ manager ・" in seen
    everything = json.loads(clerk.get("/store/me/everything.json").text)
    assert everything["row"]["proposed"] == 60
    assert [one["who"] for one in everything["looked"]] == ["manager"]
    with reading(shop.engine) as session:
        acts = session.execute(select(AuditEntry.action, AuditEntry.subject_id).order_by(AuditEntry.entry_id)).all()
    assert [act for act in acts if act[0].startswith("staff.")] == [
        ("staff.viewed_own", "C1"), ("staff.viewed", "C1"), ("staff.viewed_own", "C1"), ("staff.exported_own", "C1"),
    ]  # fmt: skip


def test_nobody_else_sees_a_clerk(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 45, 60)
    proposals(shop, "C9", "S2", 15, 60)
    manager = browser(shop, "manager", "S1")
    assert "C9" not in manager.get("/store/").text
    for page in ("", "/rows", "/rows.csv"):
        assert manager.get(f"/store/people/C9{page}").status_code == 403
        assert clerk_browser(shop, "C2").get(f"/store/people/C1{page}").status_code == 403
        assert shop.app.test_client().get(f"/store/people/C1{page}").status_code == 302
    assert manager.get("/store/people/nobody").status_code == 404
    assert clerk_browser(shop, "C2").get("/store/").status_code == 403
    assert clerk_browser(shop, "C2").get("/store/know-how").status_code == 403
    assert browser(shop, "coe").get("/store/people/C9").status_code == 200
    assert manager.get("/store/me").status_code == 404  # this manager is no clerk of the record


def test_the_rows_behind_a_figure_are_as_many_as_it_says(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 7, 20)
    with writing(shop.engine) as session:
        # A colleague recorded the outcome of a suggestion that C2 was shown: it is the colleague's.
        session.add(Suggestion(suggestion_id="shared", customer_id="0001", store_id="S1", clerk_id="C2",
                               shown_at=NOW - timedelta(hours=1), product_id="4901234567894", rank=1))  # fmt: skip
        session.flush()
        session.add(
            Outcome(outcome_id="shared", suggestion_id="shared", clerk_id="C1", occurred_at=NOW, result="bought")
        )
        session.flush()
        roll_up(session, now=NOW)
    manager = browser(shop, "manager", "S1")
    with reading(shop.engine) as session:
        row = next(r for r in staff_success.report(session)["clerks"] if r["clerk_id"] == "C1")
    for figure in ("shown", "recorded", "proposed", "accepted", "confirmed"):
        page = manager.get(f"/store/people/C1/rows?figure={figure}&days=0&lang=en").text
        assert f"{row[figure]} rows of 佐藤 花子" in page
        lines = manager.get(f"/store/people/C1/rows.csv?figure={figure}&days=0").text.strip().splitlines()
        assert len(lines) == row[figure] + 1
    assert row["accepted"] == 8
    assert "shared" in manager.get("/store/people/C1/rows.csv?figure=accepted&days=0").text
    assert "shared" not in manager.get("/store/people/C2/rows.csv?days=0").text
    few = manager.get("/store/people/C1/rows?category=%E9%A3%9F%E5%93%81&days=0&lang=en").text
    assert "5 rows of" in few  # the shared one, and four of the shop's own
    assert manager.get("/store/people/C1/rows?figure=wealth").status_code == 422


def test_a_clerk_contests_and_the_manager_decides(shop: Shop) -> None:
    proposals(shop, "C1", "S1", 3, 5)
    clerk = clerk_browser(shop)
    wish = {"outcome_id": "C1-4", "wish": "bought", "reason": "翌日お戻りになりました"}
    assert clerk.post("/store/me/contests", data=wish).status_code == 403  # no form of ours
    assert post(clerk, "/store/me", "/store/me/contests", **wish).status_code == 303
    assert post(clerk, "/store/me", "/store/me/contests", **wish).status_code == 409
    assert post(clerk, "/store/me", "/store/me/contests", **(wish | {"outcome_id": "none"})).status_code == 404
    assert "翌日お戻りになりました" in clerk.get("/store/me").text
    manager = browser(shop, "manager", "S1")
    assert "/store/contests?store=S1" in manager.get("/store/").text
    waiting = manager.get("/store/contests?lang=ja").text
    assert "翌日お戻りになりました" in waiting
    found = re.search(r"/store/contests/([^/]+)/decision", waiting)
    assert found
    decision = f"/store/contests/{found[1]}/decision"
    assert post(manager, "/store/contests", decision, decision="reject").status_code == 422
    assert post(manager, "/store/contests", decision, decision="uphold").status_code == 303
    with reading(shop.engine) as session:
        results = session.execute(
            select(Outcome.result, Outcome.current).where(Outcome.suggestion_id == "C1-4").order_by(Outcome.current)
        ).all()
    assert results == [("declined", False), ("bought", True)]


def test_a_foreign_manager_and_the_contester_do_not_decide(shop: Shop) -> None:
    proposals(shop, "C9", "S2", 1, 2)
    assert post(clerk_browser(shop, "C9"), "/store/me", "/store/me/contests", outcome_id="C9-1", wish="bought",
                reason="x").status_code == 303  # fmt: skip
    with writing(shop.engine) as session:
        contest = session.scalars(select(OutcomeContest)).one()
        account = session.scalars(select(Account).where(Account.clerk_id == "C9")).one()
        account.role, account.password_hash = "manager", PASSWORD_HASH
    decision = f"/store/contests/{contest.contest_id}/decision"
    assert post(browser(shop, "manager", "S1"), "/store/contests", decision, decision="uphold").status_code == 403
    own = clerk_browser(shop, "C9")
    assert post(own, "/store/contests", decision, decision="uphold").status_code == 403
    assert post(browser(shop, "coe"), "/store/contests?store=S2", decision, decision="uphold").status_code == 303


def test_notes_and_goals_are_between_the_two(shop: Shop) -> None:
    manager, clerk = browser(shop, "manager", "S1"), clerk_browser(shop)
    goal = {"text": "記録を忘れない", "due_on": "2030-03-31", "measure": "recorded_share", "target": "90"}
    assert post(manager, "/store/people/C1", "/store/people/C1/coaching", **goal).status_code == 303
    assert post(clerk, "/store/me", "/store/me/coaching", text="承知しました").status_code == 303
    for page in (manager.get("/store/people/C1?lang=ja").text, clerk.get("/store/me?lang=ja").text):
        assert "記録を忘れない" in page
        assert "90%" in page
        assert "承知しました" in page
    for role in ("coe", "admin"):  # who sees every store's figures still does not see what these two write each other
        head = browser(shop, role)
        assert "承知しました" not in head.get("/store/people/C1").text
        assert post(head, "/store/contests?store=S1", "/store/people/C1/coaching", **goal).status_code == 403
    assert "承知しました" not in clerk_browser(shop, "C2").get("/store/me").text
    found = re.search(r"/store/me/coaching/([^/]+)/done", clerk.get("/store/me").text)
    assert found
    assert post(clerk, "/store/me", f"/store/me/coaching/{found[1]}/done").status_code == 303
    assert post(clerk, "/store/me", f"/store/me/coaching/{found[1]}/removal").status_code == 403
    assert post(manager, "/store/people/C1", f"/store/people/C1/coaching/{found[1]}/removal").status_code == 303
    assert "記録を忘れない" not in clerk.get("/store/me").text
    for wrong in ({"due_on": "soon"}, {"target": "much"}, {"measure": "rate"}, {"text": " "}, {"text": "x" * 2001}):
        answer = post(manager, "/store/people/C1", "/store/people/C1/coaching", **(goal | wrong))
        assert answer.status_code == 422, wrong


def test_a_finding_becomes_a_card_on_the_tablets_and_goes_again(shop: Shop) -> None:
    manager = browser(shop, "manager", "S1")
    fields = {"title": "二つまで", "talk_line": "こちらの二つがおすすめです", "practice": "few", "situation": "any"}
    made = post(manager, "/store/know-how/cards/new", "/store/know-how/cards", **fields)
    assert made.status_code == 303
    place = made.headers["Location"]
    assert "こちらの二つがおすすめです" in manager.get(place).text
    assert post(manager, place, f"{place}/text", **(fields | {"title": "三つまで"})).status_code == 303
    tablet = shop.signed_in("C1")
    assert tablet.get("/api/know-how-cards").json["cards"] == []
    assert post(manager, place, f"{place}/publication").status_code == 303
    (card,) = tablet.get("/api/know-how-cards").json["cards"]
    assert card["title"] == "三つまで"
    assert post(manager, place, f"{place}/text", **fields).status_code == 409
    other = browser(shop, "admin")
    assert "三つまで" in other.get("/store/know-how?lang=ja").text
    with writing(shop.engine) as session:
        session.scalars(select(KnowHowCard)).one().store_id = "S2"
    assert manager.get(place).status_code == 403
    with writing(shop.engine) as session:
        session.scalars(select(KnowHowCard)).one().store_id = None
    assert manager.get(place).status_code == 200
    assert post(manager, "/store/know-how/cards/new", f"{place}/retirement").status_code == 403
    assert post(other, place, f"{place}/retirement", why="季節外れ").status_code == 303
    assert tablet.get("/api/know-how-cards").json["cards"] == []
    assert "季節外れ" in other.get(place).text
    assert "三つまで" in other.get("/store/know-how/cards.csv").text


def test_the_know_how_page_shows_what_was_found(shop: Shop) -> None:
    practice = {
        "practice": "listen_first", "odds_ratio": 1.6, "low": 1.2, "high": 2.1, "p_value": 0.001, "q_value": 0.004,
        "n": 400, "without": 800, "clerks": 12, "rate_with": 0.4, "rate_without": 0.3, "extra_accepted": 8.25,
        "supported": True, "examples": ["sug-0", "gone"],
    }  # fmt: skip
    unclear = practice | {"practice": "reason_web_view", "supported": False, "examples": []}
    document = {"practices": [practice, unclear], "proposals": 1200, "clerks": 12, "min_odds_ratio": 1.1}
    with writing(shop.engine) as session:
        assert know_how.roll_up(session, now=NOW) == {"days": 91, "practices": 0, "cards": 0}
        assert know_how.roll_up(session, now=NOW) == {"days": 0}
        assert know_how.roll_up(session, now=NOW, everything=True)["days"] == 91
        kept = know_how.findings(session)
        assert kept is not None
        same = know_how.report(session, start=date.fromisoformat(kept["start"]), end=date.fromisoformat(kept["end"]))
        assert same.items() <= kept.items()
        document |= {"start": kept["start"], "end": kept["end"]}
        keep_result(session, "know_how", {}, document, computed_at=NOW, seconds=1.0)
    manager = browser(shop, "manager", "S1")
    page = manager.get("/store/know-how?lang=ja").text
    assert "先にお話を伺ってから提案する" in page
    assert "8.2件" in page or "8.3件" in page
    assert "緑茶 500ml" in page  # the example's product
    assert "Webで見ていた商品" in page
    assert "/store/know-how/cards/new?practice=listen_first" in page
    assert "practice=reason_web_view" not in page
    assert "listen_first,1.6" in manager.get("/store/know-how/findings.csv").text
    assert "1.60" in manager.get("/store/know-how?lang=en").text or "1.6" in page
