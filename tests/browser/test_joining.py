"""A new member: the code on the tablet, the form on the customer's own phone, the card on both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from journey.customers import Customer
from journey.database import reading
from tests.browser.tablet import PHONE, Tablet

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def findings(page: Page) -> list[Any]:
    return [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page, options=RULES).response["violations"]]


def invitation(tablet: Tablet) -> str:
    """Open the code on the tablet; answers the address in it."""
    with tablet.page.expect_response("**/api/invitations") as made:
        tablet.page.locator('a[href="#/join"]').click()
    tablet.page.locator(".join__code").wait_for()
    return str(made.value.json()["url"])


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_a_customer_joins_and_the_tablet_opens_their_card(
    tablets: Callable[..., Tablet], contexts: Callable[..., BrowserContext], shop_engine: Engine, locale: str
) -> None:
    tablet = tablets(by="C1")
    address = invitation(tablet)
    phone = contexts(PHONE, locale).new_page()
    phone.goto(address)
    expect(tablet.page.locator('.join__state[data-state="opened"]')).to_be_visible(timeout=10_000)
    assert findings(phone) == []
    name = {"ja-JP": "新井 葵", "en-GB": "Emma Brown"}[locale]
    phone.locator("#name").fill(name)
    phone.locator(".joining__send").click()
    phone.locator(".joining__summary").wait_for()
    assert findings(phone) == []
    assert phone.locator("#name").input_value() == name
    if locale == "ja-JP":
        phone.locator("#kana").fill("あらい あおい")
    phone.locator('.joining__choice:has([name="profiling"][value="yes"])').click()
    phone.locator('.joining__choice:has([name="contact"][value="no"])').click()
    phone.locator(".joining__send").click()
    phone.locator(".membercard").wait_for()
    assert findings(phone) == []
    tablet.page.locator("h1", has_text=name).wait_for()
    tablet.page.locator(".suggestion").first.wait_for()
    code = tablet.page.url.rsplit("/", 1)[1]
    assert code in phone.locator(".membercard").inner_text()
    with reading(shop_engine) as session:
        customer = session.get_one(Customer, code)
    assert (customer.consent_profiling, customer.consent_contact) == (True, False)
    tablet.go("find")
    tablet.page.locator(".rowlink", has_text=name).first.wait_for()
    tablet.page.locator("h1").click()
    tablet.serve(code)
    assert name in tablet.page.locator("h1").inner_text()
    phone.goto(address)
    phone.locator("h1", has_text={"ja-JP": "使用済み", "en-GB": "has been used"}[locale]).wait_for()
    assert findings(phone) == []


def test_without_a_network_there_is_no_code_but_a_word(tablet: Tablet) -> None:
    tablet.context.set_offline(True)
    tablet.page.locator('a[href="#/join"]').click()
    tablet.page.locator(".notice--bad", has_text="つながりません").wait_for()
    tablet.context.set_offline(False)
    tablet.page.locator(".notice--bad .button").click()
    tablet.page.locator(".join__code").wait_for()
