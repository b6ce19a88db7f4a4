"""The day, staffing, plan, live board and week in a real browser: axe, both shapes and languages; the board goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import delete, select

from journey.accounts import Account, password_hash
from journey.database import connect, writing
from journey.rosters import Shift
from journey.shift_plans import ask_for_plan, latest_plan, plan_step
from journey.traffic import Traffic
from tests.browser.live_server import LiveServer
from tests.browser.shop import STORE
from tests.browser.staffed_weeks import staffed_weeks
from tests.browser.tablet import LANDSCAPE, PORTRAIT, new_context
from tests.browser.test_staff_screens import faults

pytestmark = pytest.mark.browser
PASSWORD = "a place for rosters"
PAGES = ("/store/today", "/store/today/late_follow_ups", "/store/staffing", "/store/staffing/rows?weekday=2&hour=18",
         "/store/plan", "/store/plan/people?saved=C1", "/store/live", "/store/week")  # fmt: skip


@pytest.fixture(scope="module")
def staffed(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home = tmp_path_factory.mktemp("staffed") / "home"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("server.log", "*-wal", "*-shm"))
    engine = connect(f"sqlite:///{home / 'osusume.db'}")
    with writing(engine) as session:
        session.scalars(select(Account).where(Account.clerk_id == "M1")).one().password_hash = password_hash(PASSWORD)
        staffed_weeks(session)
    engine.dispose()
    server = LiveServer(home, f"sqlite:///{home / 'osusume.db'}")
    server.start()
    yield server
    server.stop()


def manager(browser: Browser, server: LiveServer, locale: str) -> Page:
    page = new_context(browser, server.url, LANDSCAPE, locale).new_page()
    page.goto("/sign-in")
    page.fill("#account_id", "M1")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/store/today")
    return page


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_store_pages_are_for_everybody(browser: Browser, staffed: LiveServer, locale: str) -> None:
    page = manager(browser, staffed, locale)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    troubles: dict[str, Any] = {}
    for address in PAGES:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200
        for size in (LANDSCAPE, PORTRAIT):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            if found := faults(page):
                troubles[f"{address} {size[0]}"] = found
    page.emulate_media(color_scheme="dark")
    for address in ("/store/staffing", "/store/live"):
        page.goto(address)
        if found := faults(page):
            troubles[f"{address} dark"] = found
    page.context.close()
    assert (troubles, errors) == ({}, [])


def test_the_week_fits_one_sheet(browser: Browser, staffed: LiveServer, tmp_path: Path) -> None:
    page = manager(browser, staffed, "ja-JP")
    page.goto("/store/week")
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") == 1 or paper.count(b"/Type /Page ") == 1
    page.context.close()


def test_the_live_board_goes_on_by_itself(browser: Browser, staffed: LiveServer) -> None:
    engine = connect(staffed.database_url)
    now = datetime.now(UTC)

    def crowd(people: int, *floor: str) -> None:
        with writing(engine) as session:
            session.execute(delete(Traffic).where(Traffic.starts_at > now - timedelta(hours=2)))
            session.execute(delete(Shift).where(Shift.starts_at > now - timedelta(hours=14)))
            shift = {"store_id": STORE, "starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=4)}
            session.add_all(Shift(clerk_id=clerk, duty="floor", **shift) for clerk in floor)
            session.add(Shift(clerk_id="C2", duty="back", **shift))
            bucket = {"store_id": STORE, "minutes": 15, "entered": people}
            session.add_all(Traffic(starts_at=now - timedelta(minutes=m), **bucket) for m in (15, 30))

    crowd(0, "C1", "C3", "C4", "M1")
    page = manager(browser, staffed, "ja-JP")
    page.clock.install()
    page.goto("/store/live")
    assert "呼びましょう" not in page.locator("[data-says]").inner_text()
    crowd(90, "C1")
    page.clock.run_for(21_000)
    page.locator("[data-says]", has_text="鈴木 健一さん").wait_for()
    page.context.set_offline(True)
    page.clock.run_for(21_000)
    page.locator("[data-trouble]").wait_for()
    engine.dispose()
    page.context.close()


def test_a_plan_tells_how_far_it_is(browser: Browser, staffed: LiveServer) -> None:
    engine = connect(staffed.database_url)
    now = datetime.now(UTC)
    with writing(engine) as session:
        before = latest_plan(session, STORE)
        assert before is not None
        plan = ask_for_plan(
            session, STORE, first_day=before.first_day, days=before.days, actor="account:M1", now=now
        )  # fmt: skip
        plan_step(session, plan.plan_id, state="running", step="3")
    page = manager(browser, staffed, "ja-JP")
    page.clock.install()
    page.goto("/store/plan")
    page.clock.run_for(3_100)
    page.locator("[data-step]", has_text="3通りの案").wait_for()
    with writing(engine) as session:
        plan_step(session, plan.plan_id, state="ready", document=before.document, now=now)
    page.clock.run_for(3_100)
    page.get_by_role("button", name="この案を採用").wait_for()
    engine.dispose()
    page.context.close()
