"""Staff and know-how pages in a real browser: axe, both orientations, both languages, nothing beyond the screen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from journey.accounts import Account, password_hash
from journey.database import connect, writing
from tests.browser.live_server import LiveServer
from tests.browser.staff_quarter import busy_months
from tests.browser.tablet import LANDSCAPE, PORTRAIT, new_context
from tests.browser.test_access import OVERFLOW, RULES

pytestmark = pytest.mark.browser
PASSWORD = "a place for staff"
MANAGED = ("/store/", "/store/people/C1", "/store/people/C1/rows?figure=proposed", "/store/contests",
           "/store/know-how", "/store/know-how/cards/new?practice=few", "/store/know-how/cards/CARD")  # fmt: skip
OWN = ("/store/me", "/store/me/rows?figure=proposed")


@pytest.fixture
def back_office(shop_home: Path, tmp_path: Path) -> Iterator[LiveServer]:
    home = tmp_path / "home"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("server.log", "*-wal", "*-shm"))
    engine = connect(f"sqlite:///{home / 'osusume.db'}")
    with writing(engine) as session:
        for clerk_id in ("M1", "C1"):
            account = session.scalars(select(Account).where(Account.clerk_id == clerk_id)).one()
            account.password_hash = password_hash(PASSWORD)
        busy_months(session)
    engine.dispose()
    server = LiveServer(home, f"sqlite:///{home / 'osusume.db'}")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_staff_pages_are_for_everybody(browser: Browser, back_office: LiveServer, locale: str) -> None:
    troubles: dict[str, Any] = {}
    for account_id, addresses in (("M1", MANAGED), ("C1", OWN)):
        context = new_context(browser, back_office.url, LANDSCAPE, locale)
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("#account_id", account_id)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        for address in addresses:
            page.goto(address)
            for details in page.locator("summary").all()[:3]:
                details.click()
            for size in (LANDSCAPE, PORTRAIT):
                page.set_viewport_size({"width": size[0], "height": size[1]})
                if found := faults(page):
                    troubles[f"{address} {size[0]}"] = found
        context.close()
    assert troubles == {}


def faults(page: Page) -> list[str]:
    """Serious findings of axe, and what reaches beyond the screen."""
    found = [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page, options=RULES).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    beyond = page.evaluate(OVERFLOW)
    return [*found, f"{beyond} px wider than the screen"] if beyond > 0 else found
