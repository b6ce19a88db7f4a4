"""Focus merchandise on My day: to whom of today's customers to propose it, in what words, also without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from journey.analysis_results import AnalysisResult, keep_result
from journey.database import to_micros, writing
from journey.visits import Visit
from tests.browser.shop import HANAKO, ICHIRO, NEWCOMER, SERUM, STORE
from tests.browser.tablet import Tablet

pytestmark = pytest.mark.browser
NOW = datetime.now(UTC)


def proposal(customer_id: str, uplift: float, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": customer_id, "store_id": STORE, "product_id": SERUM, "uplift": uplift, "proposed": uplift,
        "unasked": 0.0, "displaced": None, "gain": 20.0, "lost": 5.0, "evidence": {"ground": "focus"},
        "last_visit": to_micros(NOW - timedelta(days=20)), "gap_days": 25.0,
    } | more  # fmt: skip


@pytest.fixture
def lists(shop_engine: Engine) -> Iterator[None]:
    """Three are here: Ichiro, Hanako, and one whom the proposal would make leave a better purchase."""
    campaign = {
        "campaign_id": "autumn", "name": "秋の手もとケア", "first": str(NOW.date() - timedelta(days=10)),
        "last": str(NOW.date() + timedelta(days=10)), "basis": "uplift",
        "proposals": [proposal(HANAKO, 0.1), proposal(ICHIRO, 0.2), proposal(NEWCOMER, 0.3, lost=90.0),
                      proposal("K0100", 0.4)],
    }  # fmt: skip
    with writing(shop_engine) as session:
        session.add_all(
            Visit(visit_id=f"focus-{one}", customer_id=one, customer_ref=one, store_id=STORE, arrived_at=NOW,
                  source="checkin") for one in (HANAKO, ICHIRO, NEWCOMER)
        )  # fmt: skip
        keep_result(session, "focus", {"store": STORE}, {"campaigns": [campaign]}, computed_at=NOW, seconds=1.0,
                    names_persons=True)  # fmt: skip
    yield
    with writing(shop_engine) as session:
        session.execute(delete(Visit).where(Visit.visit_id.startswith("focus-")))
        session.execute(delete(AnalysisResult).where(AnalysisResult.kind == "focus"))


def test_my_day_says_to_whom_of_today_to_propose_in_what_words_and_a_tap_opens_them(
    lists: None, tablets: Callable[..., Tablet]
) -> None:
    tablet = tablets(by="C1")
    tablet.go("day")
    customers = tablet.page.locator(".focus__customer")
    customers.first.wait_for()
    shown = customers.all_inner_texts()
    assert ["中村 一郎" in shown[0], "山田 花子" in shown[1], len(shown)] == [True, True, 2]
    assert "「ただいまおすすめしております。お試しになりませんか」" in shown[0]
    assert "ただいまおすすめしている商品です" in shown[0]

    tablet.page.route("**/api/**", lambda route: route.abort())  # the Wi-Fi goes
    tablet.go("find")
    tablet.go("day")
    customers.first.wait_for()
    tablet.page.locator(".notice", has_text="オフライン").wait_for()
    assert customers.all_inner_texts() == shown
    tablet.page.unroute("**/api/**")
    customers.nth(1).locator("a").click()
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()


def test_without_lists_my_day_says_so(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets(by="C2")
    tablet.go("day")
    tablet.page.locator(".focus", has_text="まだ作られていません").wait_for()
