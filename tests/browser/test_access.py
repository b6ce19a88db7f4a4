"""Every screen for everybody: axe, both languages, both orientations, 200 % zoom, dark, large enough targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext

from tests.browser.live_server import LiveServer
from tests.browser.tablet import LANDSCAPE, PORTRAIT, ZOOMED, Tablet
from tests.browser.walk import walk

pytestmark = pytest.mark.browser
TOO_SMALL = """() => [...document.querySelectorAll('button, a[href], input, textarea, summary')]
  .filter((one) => one.checkVisibility() && !one.matches('.skip, .suggestion__open, .pin__field, .task a'))
  .map((one) => [one.className || one.tagName, one.getBoundingClientRect(), one.matches('.outcome') ? 64 : 48])
  .filter(([, box, least]) => box.height < least - 0.5 || box.width < least - 0.5)
  .map(([name, box]) => `${name} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


def serious(tablet: Tablet) -> list[str]:
    """Serious and critical findings of axe on the page as it stands."""
    found: list[dict[str, Any]] = Axe().run(tablet.page, options=RULES).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0].get('failureSummary', '')[:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_every_screen_in_every_shape(tablets: Callable[..., Tablet], locale: str) -> None:
    tablet = tablets(locale=locale)
    troubles: dict[str, list[str]] = {}
    screens: list[str] = []

    def look(name: str) -> None:
        screens.append(name)
        for size in (PORTRAIT, ZOOMED, LANDSCAPE):
            tablet.page.set_viewport_size({"width": size[0], "height": size[1]})
            found = serious(tablet)
            found += [f"too small: {one}" for one in tablet.page.evaluate(TOO_SMALL)]
            if (beyond := tablet.page.evaluate(OVERFLOW)) > 0:
                found.append(f"{beyond} px wider than the screen")
            if found:
                troubles[f"{name} {size[0]}x{size[1]}"] = found

    walk(tablet, look)
    assert len(screens) == len(set(screens)) >= 20
    assert troubles == {}


def test_dark_for_back_rooms(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets()
    tablet.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    troubles: dict[str, list[str]] = {}

    def look(name: str) -> None:
        if found := serious(tablet):
            troubles[name] = found

    walk(tablet, look)
    assert troubles == {}


def test_enrolment_and_sign_in(contexts: Callable[..., BrowserContext], server: LiveServer) -> None:
    tablet = Tablet(contexts(), server.url, token=None)
    tablet.page.locator("#enrol-code").wait_for()
    assert serious(tablet) == []
    tablet.page.goto("/sign-in")
    assert serious(tablet) == []
