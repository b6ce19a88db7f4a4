"""The CoE's model pages in a real browser: axe, both orientations, both languages, nothing beyond the screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from journey.accounts import add_account
from journey.database import connect, writing
from recommender.drift import keep
from recommender.registry import Registry
from tests.browser.live_server import LiveServer
from tests.browser.tablet import LANDSCAPE, PORTRAIT, new_context
from tests.browser.test_access import OVERFLOW, RULES
from tests.clerk_ui.test_model_pages import metrics

pytestmark = pytest.mark.browser
PASSWORD = "a place for models"
NOW = datetime.now(UTC)
ADDRESSES = ("/coe/", "/coe/models/{worse}", "/coe/models/{worse}/changes", "/coe/models/current", "/coe/inputs",
             "/coe/focus", "/store/focus")  # fmt: skip


@pytest.fixture
def head_office(shop_home: Path, tmp_path: Path) -> Iterator[tuple[LiveServer, str]]:
    """A server of its own with a version that waits, rich figures and a measurement of inputs."""
    home = tmp_path / "home"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("server.log", "*-wal", "*-shm"))
    engine = connect(f"sqlite:///{home / 'osusume.db'}")
    with writing(engine) as session:
        add_account(session, name="CX推進", role="coe", account_id="head", password=PASSWORD, now=NOW)
    engine.dispose()
    registry = Registry(home)
    worse = registry.add(replace(registry.load(), metrics=metrics(0.2)), now=NOW)
    shift = {"name": "channel", "psi": 0.4, "noise": 0.02, "level": "changed", "n_then": 900, "n_now": 300,
             "bins": [{"bin": "ec", "then": 0.1, "now": 0.5}, {"bin": "store", "then": 0.9, "now": 0.5}]}  # fmt: skip
    rate = {"name": "lines", "then": 800.0, "now": 500.0, "ratio": 0.6, "low": 0.5, "high": 0.7, "level": "look"}
    keep(registry.models, {"at": NOW.isoformat(), "cut_off": NOW.isoformat(), "then": ["2026-01-01", "2026-03-01"],
                           "now": ["2026-03-02", "2026-03-15"], "shifts": [shift], "rates": [rate]})  # fmt: skip
    server = LiveServer(home, f"sqlite:///{home / 'osusume.db'}")
    server.start()
    yield server, worse
    server.stop()


@pytest.fixture
def opened(browser: Browser, head_office: tuple[LiveServer, str]) -> Iterator[Callable[[str], Page]]:
    """Signs in as the CoE in a language."""
    made: list[BrowserContext] = []

    def sign_in(locale: str) -> Page:
        made.append(new_context(browser, head_office[0].url, LANDSCAPE, locale))
        page = made[-1].new_page()
        page.goto("/sign-in")
        page.fill("#account_id", "head")
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield sign_in
    for context in made:
        context.close()


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_model_pages_are_for_everybody(
    opened: Callable[[str], Page], head_office: tuple[LiveServer, str], locale: str
) -> None:
    page = opened(locale)
    troubles: dict[str, Any] = {}
    for address in ADDRESSES:
        page.goto(address.format(worse=head_office[1]))
        for size in (LANDSCAPE, PORTRAIT):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            found = [
                f"{one['id']}: {one['nodes'][0]['html'][:200]}"
                for one in Axe().run(page, options=RULES).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            if (beyond := page.evaluate(OVERFLOW)) > 0:
                found.append(f"{beyond} px wider than the screen")
            if found:
                troubles[f"{address} {size[0]}"] = found
    assert troubles == {}
