"""The CX pages and the customer's survey in a real browser: axe, shapes, languages; one tap with scripts forbidden."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from clerk_ui.kept_results import refresh
from journey.accounts import add_account
from journey.database import connect, writing
from journey.surveys import Answer
from tests.browser.live_server import LiveServer
from tests.browser.shop import PRODUCTS
from tests.browser.tablet import LANDSCAPE, PORTRAIT, new_context
from tests.browser.test_access import OVERFLOW, RULES
from tests.heard_customers import heard_customers, listening

pytestmark = pytest.mark.browser
PASSWORD = "ears of the chain"
NOW = datetime.now(UTC)
PHONE = (360, 740)
ADDRESSES = (
    "/coe/cx", "/coe/drivers", "/coe/voice", "/coe/risks?store=S1&from=9&until=12", "/coe/assortment", "/coe/ltv",
    "/coe/surveys", "/coe/surveys/ONETAP-STORE/1", "/coe/surveys/PERIODIC/draft", "/coe/surveys/PERIODIC/1/preview",
    "/coe/identity", "/coe/journeys", "/coe/coupons",
    "/coe/actions", "/coe/actions/new", "/coe/tree", "/coe/brief", "/coe/units", "/store/voice?store=S1",
)  # fmt: skip


@pytest.fixture(scope="module")
def ears(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, Engine, str]]:
    """A server whose customers have answered, with everything worked out, and the link of a survey."""
    home = tmp_path_factory.mktemp("ears") / "home"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("server.log", "*-wal", "*-shm"))
    engine = connect(f"sqlite:///{home / 'osusume.db'}")
    with writing(engine) as session:
        add_account(session, name="CX推進", role="coe", account_id="coe-ears", password=PASSWORD, now=NOW)
        heard_customers(session, now=NOW, products=PRODUCTS[:4])
        token = listening(session, now=NOW)
    refresh(engine, now=NOW, timezone="Asia/Tokyo")
    server = LiveServer(home, f"sqlite:///{home / 'osusume.db'}")
    server.start()
    yield server, engine, f"/survey/{token}"
    server.stop()
    engine.dispose()


@pytest.fixture
def contexts(browser: Browser, ears: tuple[LiveServer, Engine, str]) -> Iterator[Callable[..., BrowserContext]]:
    made: list[BrowserContext] = []

    def make(size: tuple[int, int], locale: str, **more: Any) -> BrowserContext:
        if more:
            wide = {"width": size[0], "height": size[1]}
            made.append(browser.new_context(base_url=ears[0].url, viewport=wide, locale=locale, **more))  # type: ignore[arg-type]
        else:
            made.append(new_context(browser, ears[0].url, size, locale))
        return made[-1]

    yield make
    for context in made:
        context.close()


def troubles_of(page: Page, *sizes: tuple[int, int]) -> list[str]:
    """What axe finds, and what does not fit into a screen of these sizes."""
    found = [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page, options=RULES).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    for size in sizes:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if (beyond := page.evaluate(OVERFLOW)) > 0:
            found.append(f"{beyond} px wider than {size[0]}")
    return found


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_cx_pages_are_for_everybody(contexts: Callable[..., BrowserContext], locale: str) -> None:
    page = contexts(LANDSCAPE, locale).new_page()
    page.goto("/sign-in")
    page.fill("#account_id", "coe-ears")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    troubles: dict[str, list[str]] = {}
    for address in ADDRESSES:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        if found := troubles_of(page, LANDSCAPE, PORTRAIT):
            troubles[address] = found
    assert troubles == {}


def test_a_customer_answers_with_one_tap_where_scripts_are_off(
    contexts: Callable[..., BrowserContext], ears: tuple[LiveServer, Engine, str]
) -> None:
    _, engine, link = ears
    looked = contexts(PHONE, "ja-JP").new_page()
    looked.goto(link)
    assert troubles_of(looked, PHONE, LANDSCAPE) == []
    boxes = looked.locator(".face").evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert len(boxes) == 5
    assert min(boxes) >= 64
    page = contexts(PHONE, "ja-JP", java_script_enabled=False).new_page()
    page.goto(link)
    page.get_by_role("button", name="とても満足").click()
    page.get_by_text("ご回答を受け付けました").wait_for()
    page.get_by_label("よかったところ").fill("また来ます")
    page.get_by_role("button", name="ひとことを送る").click()
    page.get_by_text("これからの店づくり").wait_for()
    looked.reload()
    assert troubles_of(looked, PHONE) == []
    with Session(engine) as session:
        told = session.execute(
            select(Answer.question, Answer.score, Answer.comment).where(
                Answer.survey_id == "ONETAP-STORE", Answer.customer_id == "C199"
            ).order_by(Answer.question)
        ).all()  # fmt: skip
    assert [tuple(row) for row in told] == [("comment", None, "また来ます"), ("touchpoint", 5.0, None)]
