"""The store's pages of staffing: who may see them, what they say, and that thin records give a useful page."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from analytics import staff_success
from analytics.staffing import report, roll_up
from analytics.staffing.proposal import plan_inputs, propose
from clerk_ui.background import STARTER
from journey.accounts import add_account
from journey.audit import AuditEntry
from journey.availability import ClerkAvailability, ClerkDayOff, ClerkTerms, StoreRules
from journey.database import reading, writing
from journey.know_how_cards import CardText, make_card, publish_card
from journey.local_days import zone
from journey.outcomes import FollowUp, Outcome
from journey.rosters import Shift
from journey.shift_plans import ShiftPlanRecord, plan_step
from journey.stores import Store
from journey.suggestions import Suggestion
from journey.traffic import Traffic
from journey.visits import Order, Visit
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_management_pages import browser, form_token

TOKYO = zone("Asia/Tokyo")
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(TOKYO).date()
PAGES = ("/store/today", "/store/staffing", "/store/staffing/rows", "/store/plan", "/store/plan/people", "/store/live",
         "/store/week")  # fmt: skip


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=TOKYO)


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """Five weeks at S1: quiet from ten, a rush at five in the afternoon that one clerk cannot serve."""
    with writing(shop.engine) as session:
        for back in range(1, 36):
            day = TODAY - timedelta(days=back)
            session.add(Shift(clerk_id="C1", store_id="S1", starts_at=at(day, 10), ends_at=at(day, 19)))
            session.add(Shift(clerk_id="C2", store_id="S1", starts_at=at(day, 10), ends_at=at(day, 14)))
            for hour in range(10, 19):
                entered = 80 if hour == 17 else 8
                session.add(Traffic(store_id="S1", starts_at=at(day, hour), minutes=60, entered=entered))
    with writing(shop.engine) as session:
        roll_up(session, now=NOW)
    return shop


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def test_a_store_of_which_nothing_is_known_gives_pages(shop: Shop) -> None:
    manager = browser(shop, "manager", "S1")
    for address in PAGES:
        for language in ("ja", "en"):
            answer = manager.get(f"{address}?lang={language}")
            assert answer.status_code == 200, address
            assert f'<html lang="{language}">' in answer.text
            assert "nan" not in text_of(answer.text), address
            assert "None" not in text_of(answer.text), address


def test_a_manager_sees_no_other_store(busy: Shop) -> None:
    other = browser(busy, "manager", "S2")
    for address in (*PAGES, "/store/staffing.csv", "/store/today/sold_out", "/store/plan/forecast.csv"):
        assert other.get(f"{address}?store=S1").status_code == 403, address
        assert other.get(address).status_code == 200, address
        assert busy.app.test_client().get(address).status_code == 302, address


def test_the_manager_lands_on_the_day(busy: Shop) -> None:
    page = browser(busy, "manager", "S1").get("/store/today?lang=ja").text
    assert re.search(r'href="/store/today" aria-current="page"', page)
    order = [page.index(f'href="/store/{place}"') for place in ("today", "", "staffing", "plan")]
    assert order == sorted(order)


def test_the_heat_map_names_the_hour_and_opens_its_rows(busy: Shop) -> None:
    manager = browser(busy, "manager", "S1")
    page = manager.get("/store/staffing?lang=ja&weeks=4").text
    assert "月曜17時台は、4週のうち4週で人手が足りません" in text_of(page)
    cell = re.search(r'heat__cell--short" href="([^"]+hour=17)"', page)
    assert cell
    rows = manager.get(cell[1].replace("&amp;", "&") + "&lang=ja").text
    assert rows.count("<tr>") == 1 + 4 * 4
    assert "16件の記録のうち16件" in text_of(rows)


def test_screens_and_report_agree(busy: Shop) -> None:
    manager = browser(busy, "manager", "S1")
    shown = rows_of(manager.get("/store/staffing/rows.csv?weeks=4"))
    with reading(busy.engine) as session:
        reported = {row["starts_at"]: row for row in report(session, store="S1")["slots"]}
    assert len(shown) == 28 * 36
    for row in shown:
        same = reported[row["starts_at"]]
        assert int(row["needed"]) == same["needed"]
        assert row["judgement"] == same["judgement"]
        assert float(row["lost_proposals_high"]) == pytest.approx(same["lost_proposals_high"])
    forecast = rows_of(manager.get("/store/plan/forecast.csv"))
    with reading(busy.engine) as session:
        promised = report(session, store="S1")["forecast"]
    assert [row["starts_at"] for row in forecast][: len(promised)] == [row["starts_at"] for row in promised]
    assert float(forecast[5]["high"]) == promised[5]["high"]


def test_a_plan_is_asked_for_computed_and_accepted(busy: Shop) -> None:
    started: list[tuple[str, ...]] = []
    busy.app.extensions[STARTER] = started.append
    manager = browser(busy, "manager", "S1")
    token = {"form_token": form_token(manager.get("/store/plan").text), "store": "S1"}
    assert manager.post("/store/plan", data={}).status_code == 403
    assert manager.post("/store/plan", data=token).status_code == 303
    assert manager.post("/store/plan", data=token).status_code == 303  # a second tap starts nothing
    ((command, option, plan_id),) = started
    assert (command, option) == ("plan", "--plan")
    assert "data-plan" in manager.get("/store/plan").text
    assert manager.get(f"/store/plans/{plan_id}/state").json == {"state": "waiting", "step": None, "busy": True}
    assert manager.post(f"/store/plans/{plan_id}/acceptance", data=token).status_code == 409
    assert browser(busy, "coe").get(f"/store/plans/{plan_id}/state").status_code == 200

    with writing(busy.engine) as session:
        plan = session.get_one(ShiftPlanRecord, plan_id)
        given = plan_inputs(session, "S1", first_day=plan.first_day, days=3, tz=TOKYO, today=TODAY)
        document = propose(given, seconds=2) | {"seconds": 2}
        plan.days = 3
        plan_step(session, plan_id, state="ready", document=document, now=NOW)
    assert document["before"]["lost_proposals_high"] >= document["after"]["lost_proposals_high"]
    assert set(document["guessed"]) == {"佐藤 花子", "鈴木 一郎"}  # M1 never worked, so nobody knows when they could
    page = manager.get("/store/plan?lang=ja").text
    assert "いまのシフト" in page
    assert manager.post(f"/store/plans/{plan_id}/acceptance", data=token).status_code == 303
    shifts = rows_of(manager.get(f"/store/plans/{plan_id}/shifts.csv"))
    assert {row["duty"] for row in shifts} <= {"floor", "break"}
    assert len([row for row in shifts if row["duty"] == "floor"]) >= 3
    assert all(row["starts_at"].endswith("+09:00") and row["starts_at"] < row["ends_at"] for row in shifts)
    with reading(busy.engine) as session:
        actions = set(session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == plan_id)))
    assert actions == {"plan.accepted"}
    assert browser_of_other(busy).get(f"/store/plans/{plan_id}/shifts.csv").status_code == 403


def browser_of_other(shop: Shop) -> FlaskClient:
    client = shop.app.test_client()
    with writing(shop.engine) as session:
        add_account(session, account_id="other", name="other", role="manager", store_id="S2", password="long enough",
                    now=NOW)  # fmt: skip
    token = form_token(client.get("/sign-in").text)
    form = {"account_id": "other", "password": "long enough", "form_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    return client


def test_what_the_manager_enters_is_what_the_plan_keeps_to(busy: Shop) -> None:
    manager = browser(busy, "manager", "S1")
    token = {"form_token": form_token(manager.get("/store/plan/people").text), "store": "S1"}
    tomorrow = TODAY + timedelta(days=1)
    hours = {f"{side}-{weekday}": time for weekday in range(7) for side, time in (("from", "12:00"), ("to", "18:00"))}
    entered = token | hours | {"week_hours": "30", "plannable": "yes", "days_off": tomorrow.isoformat()}
    assert manager.post("/store/plan/people/C1", data=entered).status_code == 303
    assert manager.post("/store/plan/people/C9", data=entered).status_code == 404  # of the other store
    assert manager.post("/store/plan/people/C1", data=entered | {"from-0": "19:00"}).status_code in (400, 422)
    assert manager.post("/store/plan/people/C1", data=entered | {"week_hours": "nan"}).status_code in (400, 422)
    rules = {"shortest_hours": "3", "longest_hours": "6", "week_hours": "40", "rest_hours": "11", "day_off_in": "6"}
    assert manager.post("/store/plan/rules", data=token | rules | {"hour_cost": "1500"}).status_code == 303
    assert manager.post("/store/plan/rules", data=token | rules | {"rest_hours": "3"}).status_code in (400, 422)
    with reading(busy.engine) as session:
        assert session.get_one(ClerkTerms, "C1").week_hours == 30
        assert len(session.scalars(select(ClerkAvailability).where(ClerkAvailability.clerk_id == "C1")).all()) == 7
        assert session.get(ClerkDayOff, ("C1", tomorrow)) is not None
        assert session.get_one(StoreRules, "S1").hour_cost == 1500
        given = plan_inputs(session, "S1", first_day=tomorrow, days=3, tz=TOKYO, today=TODAY)
    first = next(one for one in given.staff if one.clerk_id == "C1")
    assert dict(first.available) == {1: (48, 72), 2: (48, 72)}
    document = propose(given, seconds=2)
    mine = [shift for shift in document["shifts"] if shift["clerk_id"] == "C1"]
    assert all(48 <= shift["start"] < shift["end"] <= 72 for shift in mine)
    assert document["after"]["cost"] == pytest.approx(1500 * document["after"]["clerk_hours"])


def test_the_day_puts_certain_customers_first_and_shows_its_evidence(busy: Shop) -> None:
    with writing(busy.engine) as session:
        for number in range(12):
            session.add(
                FollowUp(
                    follow_up_id=f"F{number}", customer_id="0001", store_id="S1", clerk_id="C1",
                    due_on=TODAY - timedelta(days=number + 1), created_at=NOW,
                )
            )  # fmt: skip
        session.add(
            Order(
                order_id="M1",
                customer_id="0001",
                customer_ref="0001",
                store_id="S1",
                ordered_at=NOW - timedelta(days=5),
                pickup_at=NOW - timedelta(days=3),
                status="ready",
            )
        )
        session.add(
            Order(
                order_id="M2",
                customer_id="0001",
                customer_ref="0001",
                store_id="S2",
                ordered_at=NOW - timedelta(days=5),
                pickup_at=NOW - timedelta(days=3),
                status="ready",
            )
        )
        for number in range(4):
            session.add(
                Visit(
                    visit_id=f"V{number}",
                    store_id="S1",
                    customer_id="0001",
                    customer_ref="0001",
                    source="checkin",
                    arrived_at=NOW - timedelta(hours=30),
                    ended_at=NOW - timedelta(hours=29),
                )
            )
        session.execute(update(Suggestion).where(Suggestion.store_id == "S1").values(shown_at=NOW - timedelta(hours=2)))
    manager = browser(busy, "manager", "S1")
    page = text_of(manager.get("/store/today?lang=ja").text)
    assert page.index("応対できなかったお客様が4人") < page.index("お約束の日を過ぎたお客様が1人")
    assert "1品が在庫切れ" in page
    orders = rows_of(manager.get("/store/today/late_orders.csv"))
    assert [row["order_id"] for row in orders] == ["M1"]
    evidence = text_of(manager.get("/store/today/late_follow_ups?lang=ja").text)
    assert evidence.count("山田 太郎") == 12
    with reading(busy.engine) as session:
        seen = set(session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == "S1")))
    assert {"today.late_orders_exported", "today.late_follow_ups_viewed"} <= seen
    assert manager.get("/store/today/nonsense").status_code == 404
    assert "もう当てはまりません" in manager.get("/store/today/focus?lang=ja").text


def test_outcomes_that_stop_being_recorded_are_noticed_only_beyond_chance(busy: Shop) -> None:
    def shown(day: int, count: int, recorded: int) -> None:
        with writing(busy.engine) as session:
            for number in range(count):
                name = f"{day}-{number}"
                moment = at(TODAY - timedelta(days=day), 12)
                session.add(
                    Suggestion(
                        suggestion_id=name,
                        set_id=name,
                        customer_id=f"c{number}",
                        store_id="S1",
                        clerk_id="C1",
                        shown_at=moment,
                        product_id="P",
                        rank=1,
                    )
                )
                if number < recorded:
                    session.add(
                        Outcome(
                            outcome_id=name, suggestion_id=name, clerk_id="C1", occurred_at=moment, result="declined"
                        )
                    )

        with writing(busy.engine) as session:
            staff_success.roll_up(session, now=NOW, everything=True)

    shown(10, 60, 54)
    shown(3, 40, 33)
    manager = browser(busy, "manager", "S1")
    assert "もう当てはまりません" in manager.get("/store/today/unrecorded?lang=ja").text
    shown(4, 40, 3)
    page = text_of(manager.get("/store/today/unrecorded?lang=ja").text)
    assert "おすすめ80件中、記録なし55%" in page
    assert "10%" in page


def test_the_live_board_calls_somebody_and_degrades(busy: Shop) -> None:
    now = datetime.now(UTC)  # the board looks at the last minutes; NOW is as old as the run of all tests
    manager = browser(busy, "manager", "S1")
    with writing(busy.engine) as session:
        session.execute(update(Suggestion).values(shown_at=now - timedelta(hours=3)))
        for minutes in (15, 30):  # the door counts people at whatever hour this runs
            session.add(Traffic(store_id="S1", starts_at=now - timedelta(minutes=minutes), minutes=15, entered=60))
    assert "判断できません" in manager.get("/store/live?lang=ja").text  # neither roster nor tablets
    with writing(busy.engine) as session:
        session.execute(
            update(Suggestion).where(Suggestion.store_id == "S1").values(shown_at=now - timedelta(minutes=9))
        )
    page = text_of(manager.get("/store/live?lang=ja").text)
    assert "タブレットを使っている人を売場の人数" in page
    assert "佐藤 花子" in page
    with writing(busy.engine) as session:
        for clerk, duty in (("C1", "floor"), ("C2", "back")):
            session.add(
                Shift(
                    clerk_id=clerk,
                    store_id="S1",
                    duty=duty,
                    starts_at=now - timedelta(hours=1),
                    ends_at=now + timedelta(hours=3),
                )
            )
    page = text_of(manager.get("/store/live?lang=ja").text)
    assert "鈴木 一郎さんを売場に呼びましょう" in page
    assert "来店カウンターから" in page


def test_a_week_on_paper(busy: Shop) -> None:
    manager = browser(busy, "manager", "S1")
    monday = TODAY - timedelta(days=TODAY.weekday() + 7)
    page = manager.get(f"/store/week?lang=ja&week={monday + timedelta(days=3)}").text
    assert "data-print" in page
    assert f"来店{7 * (80 + 8 * 8)}人" in text_of(page).replace(",", "")
    assert f"前の週({7 * (80 + 8 * 8):,}人)に比べて+0%" in text_of(page)
    assert "この店の「ひとこと」" not in text_of(page)
    with writing(busy.engine) as session:
        text = CardText(title="まず聞く", talk_line="どんな時にお使いですか")
        make_card(session, "card", text, store_id="S1", by="account:M1", now=NOW)
        publish_card(session, "card", now=NOW)
    assert "どんな時にお使いですか" in text_of(manager.get(f"/store/week?lang=ja&week={monday}").text)
    rows = rows_of(manager.get(f"/store/staffing/week.csv?week={monday}"))
    assert sum(float(row["arrivals"]) for row in rows) == 7 * (80 + 8 * 8)
    assert manager.get("/store/staffing/week.csv?store=S2").status_code == 403
    assert manager.get("/store/week?week=never").status_code == 200


def test_a_store_in_summer_time(busy: Shop) -> None:
    berlin = zone("Europe/Berlin")
    change = date(2026, 3, 29)
    with writing(busy.engine) as session:
        session.add(Store(store_id="B", name="Berlin", timezone="Europe/Berlin"))
        for back in range(40):
            for hour in range(24):
                moment = datetime(2026, 3, 29 - 27, hour, tzinfo=berlin) + timedelta(days=back)
                session.merge(Traffic(store_id="B", starts_at=moment.astimezone(UTC), minutes=60, entered=9))
        roll_up(session, now=NOW)
    coe = browser(busy, "coe")
    for address in PAGES:
        assert coe.get(f"{address}?store=B").status_code == 200
    page = coe.get(f"/store/week?store=B&week={change}&lang=en").text
    assert "29 Mar" in page
