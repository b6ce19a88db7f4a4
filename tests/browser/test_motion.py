"""Motion only shows where something went, quickly; and not at all for those who asked for none."""

from __future__ import annotations

import pytest

from tests.browser.shop import HANAKO_CARD
from tests.browser.tablet import Tablet

pytestmark = pytest.mark.browser
LONGEST = """() => Math.max(0, ...[...document.querySelectorAll('*')].flatMap((one) => {
  const style = getComputedStyle(one);
  const times = [...style.transitionDuration.split(','), ...style.animationDuration.split(',')];
  return times.map((time) => parseFloat(time) * (time.trim().endsWith('ms') ? 1 : 1000));
}))"""


@pytest.mark.parametrize(("wish", "most"), [("no-preference", 200), ("reduce", 1)])
def test_motion_stays_short_or_away(tablet: Tablet, wish: str, most: float) -> None:
    tablet.page.emulate_media(reduced_motion=wish)  # type: ignore[arg-type]
    seen = []
    for place in ("find", "item", "day", "outbox"):
        tablet.go(place)
        tablet.page.locator("h1").wait_for()
        seen.append(tablet.page.evaluate(LONGEST))
    tablet.serve(HANAKO_CARD)
    tablet.tap("considering")
    seen.append(tablet.page.evaluate(LONGEST))
    tablet.page.locator(".tool--person").click()
    tablet.page.locator("dialog[open]").wait_for()
    seen.append(tablet.page.evaluate(LONGEST))
    assert max(seen) <= most
