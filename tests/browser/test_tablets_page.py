"""The manager's page of tablets and PINs in a real browser: axe in every shape and language; a tablet shut out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext
from sqlalchemy import Engine

from journey.accounts import find_account, password_hash
from journey.database import writing
from tests.browser.tablet import LANDSCAPE, PORTRAIT, Tablet
from tests.browser.test_access import OVERFLOW, RULES

pytestmark = pytest.mark.browser
PASSWORD = "a shop on Sunday"


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_the_page_for_everybody_and_a_tablet_shut_out(
    contexts: Callable[..., BrowserContext], tablets: Callable[..., Tablet], shop_engine: Engine, locale: str
) -> None:
    with writing(shop_engine) as session:
        find_account(session, "M1").password_hash = password_hash(PASSWORD)
    tablet = tablets(by="C2")
    tablet.page.locator("#sending").wait_for()
    page = contexts(LANDSCAPE, locale).new_page()
    page.goto("/sign-in?next=/store/tablets")
    page.fill("#account_id", "M1")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.locator("#tablets-list").wait_for()
    page.locator(".todo input[name=name]").fill("レジ横")
    page.locator(".todo button").click()
    page.locator(".secret__value").wait_for()
    for width, height in (LANDSCAPE, PORTRAIT):
        page.set_viewport_size({"width": width, "height": height})
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert page.evaluate(OVERFLOW) <= 0
    device_id = tablet.page.evaluate("fetch('/api/session').then((answer) => answer.json())")["device"]["device_id"]
    row = page.locator("li", has=page.locator(f'form[action$="{device_id}/revocation"]'))
    row.locator("summary").click()
    with page.expect_response(lambda answer: answer.url.endswith("/revocation")):
        row.locator(".button--danger").click()
    tablet.go("day")
    tablet.page.locator("#enrol-code").wait_for()
