"""«Show it in the store»: the number on the shop's screen, scanned at the counter, links that browser to a customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine, delete, select

from journey.database import reading, writing
from journey.identity import owner
from journey.identity_review import IdentityClaim
from journey.one_id import link
from tests.browser.shop import HANAKO, HANAKO_CARD, ICHIRO, PRODUCTS
from tests.browser.tablet import Tablet
from tests.browser.test_beacon import _forget_visitors, agree, events, item, page_of

__all__ = ["_forget_visitors"]
pytestmark = pytest.mark.browser
SOFTENER = PRODUCTS[13]


def number(page: Page) -> str:
    page.goto("/demo/shop/code")
    return page.locator("[data-code]").inner_text()


@pytest.fixture
def linked_to(shop_engine: Engine) -> Iterator[Callable[[str, str], None]]:
    """Links a browser to a customer as a log-in on the web would; taken back afterwards."""
    done: list[str] = []

    def link_browser(visitor_id: str, customer_id: str) -> None:
        done.append(visitor_id)
        with writing(shop_engine) as session:
            link(session, "cookie", visitor_id, customer_id, actor="web", now=datetime.now(UTC))

    yield link_browser
    with writing(shop_engine) as session:
        session.execute(delete(IdentityClaim).where(IdentityClaim.value.in_(done)))


def test_a_browser_that_became_anothers_meanwhile_is_told_and_stays_theirs(
    contexts: Callable[..., BrowserContext],
    tablets: Callable[..., Tablet],
    shop_engine: Engine,
    linked_to: Callable[[str, str], None],
) -> None:
    page = page_of(contexts(), item(SOFTENER))
    agree(page)
    (seen,) = events(shop_engine, 1)
    code = number(page)
    tablet = tablets(by="C1")
    tablet.serve(HANAKO_CARD)
    tablet.scan(code)
    dialog = tablet.page.locator("dialog")
    expect(dialog).to_contain_text("山田 花子 様")
    linked_to(seen.visitor_id, ICHIRO)  # he has just signed in on it
    dialog.locator(".button--main").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ほかのお客様につながっています")
    expect(dialog).not_to_contain_text("中村")  # whose it is, is nobody's business here
    expect(dialog.locator(".button--main")).to_have_count(0)
    dialog.locator("button", has_text="やめる").click()
    expect(dialog).to_have_count(0)
    expect(tablet.page.locator("h1")).to_have_text("山田 花子 様")
    with reading(shop_engine) as session:
        assert owner(session, "cookie", seen.visitor_id) == ICHIRO
        claims = session.scalars(select(IdentityClaim).where(IdentityClaim.value == seen.visitor_id)).all()
    assert {one.customer_id for one in claims} == {HANAKO}  # the CoE is shown both


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
