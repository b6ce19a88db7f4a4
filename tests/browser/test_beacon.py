"""The beacon in a real browser: consent, blocked storage, a page closed while it sends, and what reaches the store."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import Engine, delete, select

from journey.database import reading, writing
from journey.identity import Identity
from journey.visits import Order
from journey.web import WebEvent
from tests.browser.shop import BARLEY_TEA, HANAKO, HANAKO_CARD, PRODUCTS
from tests.browser.tablet import LANDSCAPE, PORTRAIT, ZOOMED, Tablet, wait_until
from tests.browser.test_access import OVERFLOW, RULES

pytestmark = pytest.mark.browser
COOKIE = "osusume_visitor"
ANOTHER = PRODUCTS[13]
moments: list[datetime] = []
"""When each of these tests began."""
BLOCKED = """
  Object.defineProperty(document, "cookie", { get() { throw new DOMException("no", "SecurityError"); },
                                              set() { throw new DOMException("no", "SecurityError"); } });
  for (const name of ["sessionStorage", "localStorage"])
    Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
"""


@pytest.fixture(autouse=True)
def _forget_visitors(shop_engine: Engine) -> Iterator[None]:
    moments.append(datetime.now(UTC))
    yield
    with writing(shop_engine) as session:
        session.execute(delete(WebEvent).where(WebEvent.visitor_id.startswith("b.")))
        session.execute(delete(Identity).where(Identity.kind == "cookie"))
        session.execute(delete(Order).where(Order.order_id.startswith("W-")))


def page_of(context: BrowserContext, path: str = "/demo/shop") -> Page:
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(path)
    return page


def events(engine: Engine, least: int = 0, seconds: float = 30) -> list[WebEvent]:
    """What is stored of this test's beacons, once there are as many as expected.

    A page's last words may still arrive when the test is over, and stand in the next one's record.
    """
    until = time.monotonic() + seconds
    while True:
        with reading(engine) as session:
            query = select(WebEvent).where(WebEvent.visitor_id.startswith("b.")).order_by(WebEvent.occurred_at)
            found = list(session.scalars(query.where(WebEvent.occurred_at >= moments[-1])))
        if len(found) >= least:
            return found
        assert time.monotonic() < until, f"{len(found)} of {least} events were stored"
        time.sleep(0.05)


def cookies(context: BrowserContext) -> set[str]:
    return {cookie["name"] for cookie in context.cookies()}


def item(product_id: str) -> str:
    return f"/demo/shop/products/{product_id}"


def agree(page: Page) -> None:
    page.locator("[data-act=agree]").click()
    expect(page.locator("#consent")).to_be_hidden()


def test_nothing_is_stored_or_sent_before_consent_nor_after_its_withdrawal(
    contexts: Callable[..., BrowserContext], shop_engine: Engine
) -> None:
    context, sent = contexts(), []
    context.on("request", lambda request: sent.append(request.url) if "/web/events" in request.url else None)
    page = page_of(context, item(BARLEY_TEA))
    page.locator("[data-favourite]").click()
    page.locator("[data-act=refuse]").click()
    page.goto(item(ANOTHER))
    page.evaluate("osusume('view', {product_id: 'P'}); osusume('flush')")
    page.wait_for_timeout(700)
    assert page.evaluate("osusume('visitor')") is None
    assert (sent, COOKIE in cookies(context)) == ([], False)
    assert page.evaluate("JSON.stringify(Object.keys(sessionStorage))") == '["osusume_demo_refused"]'

    page.locator("[data-act=choose]").click()
    agree(page)
    assert [event.product_id for event in events(shop_engine, 1)] == [ANOTHER]
    assert COOKIE in cookies(context)
    assert page.evaluate("document.cookie").count(COOKIE) == 1

    page.evaluate("osusume('consent', false)")
    page.goto(item(BARLEY_TEA))
    page.wait_for_timeout(700)
    assert COOKIE not in cookies(context)
    assert page.evaluate("Object.keys(sessionStorage).filter((name) => name.startsWith('osusume_')).length") == 0
    assert len(events(shop_engine)) == 1
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("signal", ["globalPrivacyControl", "doNotTrack"])
def test_a_browser_that_says_no_is_asked_nothing_and_tells_nothing(
    contexts: Callable[..., BrowserContext], shop_engine: Engine, server: object, signal: str
) -> None:
    context, sent = contexts(), []
    value = "true" if signal == "globalPrivacyControl" else "'1'"
    context.add_init_script(f"Object.defineProperty(navigator, '{signal}', {{ value: {value} }})")
    visitor = {"name": COOKIE, "value": "b." + "x" * 22, "url": server.url}  # type: ignore[attr-defined]
    context.add_cookies([visitor])  # agreed once, before the signal was switched on
    context.on("request", lambda request: sent.append(request.url) if "/web/events" in request.url else None)
    page = page_of(context, item(BARLEY_TEA))
    expect(page.locator("#consent")).to_be_hidden()
    assert page.evaluate("osusume('consent', true)") is False
    page.evaluate("osusume('view', {product_id: 'P'}); osusume('flush')")
    page.wait_for_timeout(600)
    assert (sent, COOKIE in cookies(context), events(shop_engine)) == ([], False, [])


def test_it_works_where_cookies_and_storage_are_blocked(
    contexts: Callable[..., BrowserContext], shop_engine: Engine
) -> None:
    context = contexts()
    context.add_init_script(BLOCKED)
    page = page_of(context, item(BARLEY_TEA))
    agree(page)
    found = events(shop_engine, 1)
    assert [event.product_id for event in found] == [BARLEY_TEA]
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("arrived", [False, True])
def test_a_page_that_closes_while_it_sends_loses_nothing_and_nothing_is_stored_twice(
    contexts: Callable[..., BrowserContext], shop_engine: Engine, arrived: bool
) -> None:
    context = contexts()
    page = page_of(context, item(BARLEY_TEA))
    agree(page)
    events(shop_engine, 1)
    sendings: list[str] = []

    def interrupt(route: Route) -> None:
        sendings.append(route.request.resource_type)
        if len(sendings) > 1:
            route.continue_()
            return
        if arrived:  # and was stored, but its answer never comes back
            assert route.fetch().json()["stored"] == len(PRODUCTS[:6])
        route.abort()

    page.route("**/web/events", interrupt)
    with page.expect_event("requestfailed"):
        page.evaluate(
            "(ids) => { for (const id of ids) osusume('view', { product_id: id }); osusume('flush'); }",
            list(PRODUCTS[:6]),
        )
    page.wait_for_timeout(100)  # the beacon has heard of it, and waits two seconds before it tries again
    page.goto("about:blank")  # and the page goes: its last words are a second sending of the same events
    found = events(shop_engine, 7)
    page.wait_for_timeout(200)
    assert len(events(shop_engine)) == 7
    assert sorted(str(event.product_id) for event in found) == sorted([BARLEY_TEA, *PRODUCTS[:6]])


def test_events_wait_while_the_server_is_away_and_are_stored_once(
    contexts: Callable[..., BrowserContext], shop_engine: Engine
) -> None:
    context = contexts()
    page = page_of(context, item(BARLEY_TEA))
    agree(page)
    events(shop_engine, 1)
    answers = iter([503, 0, 429])
    swallowed: list[str] = []

    def trouble(route: Route) -> None:
        status = next(answers, None)
        if status is None:
            route.continue_()
        elif status:
            route.fulfill(status=status, body="{}")
        else:  # it arrived and was stored, but the answer was lost on the way back
            swallowed.append(route.fetch().text())
            route.abort()

    page.route("**/web/events", trouble)
    page.evaluate("(id) => osusume('view', { product_id: id })", ANOTHER)
    for _ in range(4):
        page.wait_for_timeout(450)
        page.evaluate("osusume('flush')")
    found = events(shop_engine, 2)
    assert len(swallowed) == 1
    assert [event.product_id for event in found] == [BARLEY_TEA, ANOTHER]
    wait_until(page, "!sessionStorage.getItem('osusume_queue')")

    page.route("**/web/events", lambda route: route.abort())
    page.evaluate("(id) => osusume('cart', { product_id: id })", ANOTHER)
    page.wait_for_timeout(600)
    page.unroute("**/web/events")
    page.goto(item(ANOTHER))  # the next page of the tab sends what still waits
    kinds = [event.kind for event in events(shop_engine, 4)]
    assert sorted(kinds) == ["cart", "view", "view", "view"]


def test_what_a_member_looks_at_on_the_web_is_in_the_tablets_next_suggestions(
    contexts: Callable[..., BrowserContext], tablets: Callable[..., Tablet], shop_engine: Engine
) -> None:
    tablet = tablets(by="C1")
    context = contexts()
    page = page_of(context, item(ANOTHER))  # looked at before anybody knows who it is
    agree(page)
    (first,) = events(shop_engine, 1)
    assert first.customer_id is None
    page.goto("/demo/shop/login")
    page.locator(".members__one", has_text="山田 花子").click()
    page.locator("#suggested", has_text="山田 花子").wait_for()
    assert {event.customer_id for event in events(shop_engine)} == {HANAKO}  # her anonymous past is hers now
    page.goto(item(ANOTHER))
    events(shop_engine, 2)
    tablet.serve(HANAKO_CARD)  # at once: what is stored is heeded by the very next set
    reasons = tablet.page.locator(".suggestion", has_text="せっけんの香り").inner_text()
    assert re.search("Web|ウェブ|ご覧", reasons), reasons

    # the shop shows the same engine's suggestions, and a click on one comes back with its id
    page.goto("/demo/shop")
    suggestion = page.locator("[data-suggestion]").first
    suggestion_id = suggestion.get_attribute("data-suggestion")
    suggestion.click()
    page.locator(".item").wait_for()
    clicks = [event for event in events(shop_engine, 4) if event.kind == "recommend_click"]
    assert [(click.content_id, click.customer_id) for click in clicks] == [(suggestion_id, HANAKO)]


def test_an_order_with_a_visiting_time_stands_in_the_stores_list(
    contexts: Callable[..., BrowserContext], tablets: Callable[..., Tablet], shop_engine: Engine
) -> None:
    page = page_of(contexts(), "/demo/shop/login")
    page.locator(".members__one", has_text="中村 一郎").click()
    page.goto(item(BARLEY_TEA))
    page.locator("[data-cart] button").click()
    page.locator("#store_id").select_option("S1")
    page.locator(".collect__form button").click()
    notice = page.locator(".notice").inner_text()
    order_id = re.search(r"W-[0-9a-f]{8}", notice)
    assert order_id
    with reading(shop_engine) as session:
        order = session.get_one(Order, order_id[0])
    assert (order.customer_id, order.store_id, order.status) == ("K0002", "S1", "ordered")
    assert order.pickup_at is not None
    assert events(shop_engine) == []  # an order needs no consent to being watched


def test_the_demo_shop_is_for_everybody(contexts: Callable[..., BrowserContext]) -> None:
    troubles: dict[str, list[str]] = {}
    page = page_of(contexts())
    page.locator("#consent").wait_for()
    for path in ("", "?lang=en", "?q=nothing&lang=ja", f"/products/{BARLEY_TEA}", "/cart", "/login", "/code"):
        page.goto(f"/demo/shop{path}")
        violations = Axe().run(page, options=RULES).response["violations"]
        found = [one["id"] for one in violations if one["impact"] in ("serious", "critical")]
        for size in (PORTRAIT, ZOOMED, LANDSCAPE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            if (beyond := page.evaluate(OVERFLOW)) > 0:
                found.append(f"{beyond} px wider than {size[0]}")
        if found:
            troubles[path] = found
    assert troubles == {}
