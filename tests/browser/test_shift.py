"""An afternoon on one tablet: two clerks, three customers, a network that goes, a server that dies; nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import Engine, delete, select

from journey.database import reading, writing
from journey.offers import Offer
from journey.outcomes import Outcome
from journey.suggestions import Dismissal
from tests.browser.live_server import LiveServer
from tests.browser.shop import HANAKO, HANAKO_CARD, ICHIRO_CARD, PRODUCTS
from tests.browser.tablet import Tablet, wait_until

pytestmark = pytest.mark.browser


def test_an_afternoon(tablets: Callable[..., Tablet], server: LiveServer, shop_engine: Engine) -> None:
    with writing(shop_engine) as session:
        session.execute(delete(Offer))
    tablet = tablets()
    page, tapped = tablet.page, dict[str, tuple[str, str]]()

    def tap(clerk: str, result: str) -> None:
        tapped[tablet.tap(result)] = (clerk, result)

    tablet.sign_in("佐藤 花子")
    page.locator(".find__columns .rowlink", has_text="中村 一郎").click()  # who comes to collect an order
    page.locator(".suggestion").first.wait_for()
    tap("C1", "considering")
    page.locator(".chip", has_text="1週間後").click()
    page.locator(".undo--word").wait_for()
    tablet.wait_for_counts(0)
    page.locator(".button", has_text="接客を終える").click()
    page.locator("#find").wait_for()

    tablet.serve(HANAKO_CARD)
    page.locator(".offer", has_text="お受け取り").locator(".outcome--bought").click()
    tap("C1", "bought")
    page.locator(".recorded .chip", has_text="ちょうど必要").click()
    page.locator('.recorded .chip[aria-pressed="true"]').wait_for()  # the reason is a sending of its own
    tablet.wait_for_counts(0)

    cut: list[str] = []

    def cut_in_the_middle(route: Route) -> None:
        if not cut:
            cut.append(route.request.url)
            route.fetch()  # it arrives, but the network is gone before the answer is back
            tablet.context.set_offline(True)
        route.abort("internetdisconnected")

    page.route("**/api/outcomes/*", cut_in_the_middle)
    tap("C1", "declined")
    tap("C1", "not_proposed")
    tablet.wait_for_counts(2)
    wait_until(page, lambda: len(cut) == 1)  # what waits is counted before the first of it is sent
    page.locator(".button", has_text="お客様に見せる").click()
    page.locator(".show__item").first.wait_for()
    page.get_by_label("スタッフ画面").click()
    page.locator(".show__hand .button--main").click()
    page.unroute("**/api/outcomes/*")

    tablet.hand_over()  # the colleague takes the tablet before anything was sent
    tablet.context.set_offline(False)
    tablet.sign_in("鈴木 健一")
    tablet.wait_for_counts(0)
    tablet.scan(PRODUCTS[3])  # somebody without a card
    page.locator(".suggestion").first.wait_for()
    tap("C2", "bought")
    tablet.wait_for_counts(0)
    server.kill()
    try:
        tap("C2", "declined")
        tablet.wait_for_counts(1)
    finally:
        server.start()
    tablet.go("find")
    page.locator("#find").wait_for()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.wait_for_counts(0)
    tablet.serve(ICHIRO_CARD)
    page.locator(".suggestion__dismiss").first.click()
    with tablet.another_set():
        page.locator("dialog .button", has_text="すでにお持ち").click()
    tap("C2", "bought")
    tablet.wait_for_counts(0)

    tablet.hand_over()
    tablet.sign_in("佐藤 花子")
    tablet.go("day")
    rows = page.locator(".task", has=page.locator("strong"))
    mine = [one for one in tapped.values() if one[0] == "C1"]
    page.locator(".task .button", has_text="変更").first.wait_for()
    expect(page.locator(".task", has=page.get_by_text("変更"))).to_have_count(len(mine))
    rows.filter(has_text="未提案").locator(".button").click()
    page.locator("dialog .button", has_text="見送り").click()
    page.locator(".undo--word", has_text="見送り").wait_for()  # only then is the correction in the outbox
    tablet.wait_for_counts(0)
    corrected = next(one for one, (_, result) in tapped.items() if result == "not_proposed")
    tapped[corrected] = ("C1", "declined")
    page.locator(".tool--person").click()
    page.locator("dialog .button", has_text="サインアウト").click()
    page.locator(".person").first.wait_for()

    with reading(shop_engine) as session:
        stored = session.scalars(select(Outcome).where(Outcome.current)).all()
        dismissed = session.scalars(select(Dismissal)).all()
        offer = session.scalars(select(Offer).where(Offer.customer_id == HANAKO, Offer.kind == "collect")).one()
    assert {one.suggestion_id: (one.clerk_id, one.result) for one in stored} == tapped
    assert len(stored) == len(tapped) == 7
    assert [(one.clerk_id, one.why) for one in dismissed] == [("C2", "has_it")]
    assert (offer.result, offer.answered_by) == ("accepted", "C1")
