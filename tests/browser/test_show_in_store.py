"""«Show it in the store»: the number on the shop's screen, scanned at the counter, links that browser to a customer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from journey.database import reading
from journey.identity import owner
from tests.browser.shop import HANAKO, HANAKO_CARD, PRODUCTS
from tests.browser.tablet import Tablet
from tests.browser.test_beacon import _forget_visitors, agree, events, item, page_of

__all__ = ["_forget_visitors"]
pytestmark = pytest.mark.browser
SOFTENER = PRODUCTS[13]


def number(page: Page) -> str:
    page.goto("/demo/shop/code")
    return page.locator("[data-code]").inner_text()


def test_a_number_scanned_beside_the_customer_links_the_browser_after_a_question(
    contexts: Callable[..., BrowserContext], tablets: Callable[..., Tablet], shop_engine: Engine
) -> None:
    page = page_of(contexts(), "/demo/shop/code")
    expect(page.locator("[data-code]")).to_have_count(0)  # nothing to show before consent
    page.goto(item(SOFTENER))
    agree(page)
    (seen,) = events(shop_engine, 1)
    tablet = tablets(by="C1")
    tablet.scan(number(page))
    tablet.page.locator(".undo", has_text="先に会員証をスキャン").wait_for()  # whose should it become?

    tablet.serve(HANAKO_CARD)
    tablet.scan(code := number(page))
    dialog = tablet.page.locator("dialog")
    expect(dialog).to_contain_text("山田 花子 様")
    expect(dialog).to_contain_text("1件")
    dialog.locator("button", has_text="やめる").click()
    with reading(shop_engine) as session:
        assert owner(session, "cookie", seen.visitor_id) is None  # a scan alone links nothing
    tablet.go("find")  # where the camera is: it asks about whom is being served
    tablet.scan(code)
    dialog.locator(".button--main").click()
    tablet.page.locator(".serve__more", has_text="柔軟剤 せっけんの香り").wait_for()
    with reading(shop_engine) as session:
        assert owner(session, "cookie", seen.visitor_id) == HANAKO

    tablet.page.get_by_role("button", name="接客を終える").click()
    tablet.scan(number(page))  # from now on the browser's number opens her
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()
