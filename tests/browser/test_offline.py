"""No network, half a network, a server that dies: nothing is lost, nothing arrives twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Route, expect
from sqlalchemy import Engine, delete

from journey.database import writing
from journey.outcomes import Outcome
from journey.suggestions import Suggestion
from tests.browser.live_server import LiveServer
from tests.browser.shop import HANAKO, HANAKO_CARD, ICHIRO_CARD
from tests.browser.tablet import Tablet, device_token, kept, session_token, wait_until

pytestmark = pytest.mark.browser
Outcomes = Callable[..., list[Outcome]]
LEAVING = """(() => {
  const leaving = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(leaving);
  return leaving.defaultPrevented;
})()"""


def test_the_tablet_can_be_installed(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets(worker=True)
    tablet.page.evaluate("navigator.serviceWorker.ready")
    line = tablet.context.new_cdp_session(tablet.page)
    manifest = line.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    # a window of a test is never asked whether it wants to be installed; nothing else may stand in the way
    errors = {one["errorId"] for one in line.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}


def test_taps_without_a_network_arrive_exactly_once(tablets: Callable[..., Tablet], outcomes: Outcomes) -> None:
    tablet = tablets(worker=True)
    tablet.sign_in("佐藤 花子")
    tablet.page.evaluate("navigator.serviceWorker.ready")
    tablet.serve(HANAKO_CARD)
    tablet.context.set_offline(True)
    tapped = [tablet.tap(result) for result in ("bought", "declined", "considering")]
    tablet.wait_for_counts(3)
    assert outcomes(*tapped) == []
    # the tablet is even restarted without a network: the shell, the customer and the taps are still there
    tablet.page.reload()
    tablet.wait_for_counts(3)
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()
    tablet.page.locator(".serve__about .notice").wait_for()
    tablet.page.locator(".suggestion").first.wait_for()
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0)
    arrived = outcomes(*tapped)
    assert sorted(one.result for one in arrived) == ["bought", "considering", "declined"]
    assert {one.clerk_id for one in arrived} == {"C1"}


def test_an_undo_without_a_network_leaves_nothing_to_send(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.context.set_offline(True)
    tablet.page.evaluate("window.dispatchEvent(new Event('offline'))")
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    tablet.page.locator(".undo .button").click()
    tablet.page.locator(".undo--word").wait_for()  # what the undo has to send is in the outbox
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0)
    assert [one.current for one in outcomes(suggestion_id)] in ([], [False])


def test_an_answer_that_gets_lost_is_no_second_outcome(tablet: Tablet, outcomes: Outcomes) -> None:
    lost: list[str] = []

    def lose_the_first_answers(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.url)
            route.fetch()  # the server hears it, the tablet never learns
            route.abort("connectionreset")
        else:
            route.continue_()

    tablet.serve(HANAKO_CARD)
    tablet.page.route("**/api/outcomes/*", lose_the_first_answers)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    tablet.page.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.page.wait_for_timeout(200)
    tablet.page.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.wait_for_counts(0)
    assert len(lost) == 2
    assert [one.result for one in outcomes(suggestion_id)] == ["bought"]


def test_a_server_killed_between_taps(tablet: Tablet, server: LiveServer, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    tapped = [tablet.tap("bought")]
    server.kill()
    try:
        tapped.append(tablet.tap("declined"))
        tablet.page.locator("#sending:not([data-waiting='0'])").wait_for()
    finally:
        server.start()
    tapped.append(tablet.tap("considering"))
    tablet.page.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.wait_for_counts(0)
    assert [(len(outcomes(one)), outcomes(one)[0].result) for one in tapped] == [
        (1, "bought"), (1, "declined"), (1, "considering"),
    ]  # fmt: skip


def test_a_refusal_is_shown_and_kept(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(ICHIRO_CARD)
    tablet.context.set_offline(True)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    with writing(shop_engine) as session:
        session.execute(delete(Suggestion).where(Suggestion.suggestion_id == suggestion_id))
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0, refused=1)
    tablet.go("outbox")
    refused = tablet.page.locator(".entry--refused")
    assert "見つかりません" in refused.inner_text()
    assert "佐藤 花子" in refused.inner_text()
    with tablet.page.expect_response("**/api/outcomes/*"):
        refused.locator(".button", has_text="もう一度送る").click()
    tablet.wait_for_counts(0, refused=1)
    refused.wait_for()
    refused.locator(".button", has_text="対応済みにする").click()
    tablet.page.locator("dialog .button--danger").click()
    tablet.wait_for_counts(0, refused=0)
    tablet.page.locator("details.panel summary").click()
    expect(tablet.page.locator("details.panel")).to_contain_text("購入")


def test_a_clock_a_day_off_moves_no_outcome(tablets: Callable[..., Tablet], outcomes: Outcomes) -> None:
    wrong = (
        "const D = Date; const off = 86400000; globalThis.Date = class extends D {"
        " constructor(...a) { a.length ? super(...a) : super(D.now() + off); }"
        " static now() { return D.now() + off; } };"
    )
    tablet = tablets(script=wrong)
    tablet.sign_in("佐藤 花子")
    tablet.serve(HANAKO_CARD)
    first = tablet.tap("bought")
    assert "昨日" not in tablet.page.locator(".undo").inner_text()
    tablet.wait_for_counts(0)
    (outcome,) = outcomes(first)
    assert outcome.occurred_at - datetime.now(UTC) > timedelta(hours=23), "kept as the tablet said it"
    assert outcome.current
    tablet.page.locator(".recorded .button--plain").click()
    tablet.page.locator(f'[data-suggestion="{first}"] .outcome--declined').click()
    tablet.page.locator(".recorded__what--declined").wait_for()
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(first) if one.current] == ["declined"]


def test_a_full_disk_loses_no_tap(tablets: Callable[..., Tablet], outcomes: Outcomes) -> None:
    full = (
        "const add = IDBObjectStore.prototype.add; IDBObjectStore.prototype.add = function (...a) {"
        " if (this.name === 'outbox') throw new DOMException('full', 'QuotaExceededError');"
        " return add.apply(this, a); };"
    )
    tablet = tablets(script=full)
    tablet.sign_in("佐藤 花子")
    tablet.serve(HANAKO_CARD)
    tablet.context.set_offline(True)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    expect(tablet.page.locator("#banner")).to_contain_text("容量")
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(suggestion_id)] == ["bought"]


def test_customers_seen_before_are_found_without_a_network(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    wait_until(tablet.page, lambda: kept(tablet.page, "customers") == [HANAKO])
    tablet.go("find")
    tablet.context.set_offline(True)
    tablet.page.locator("#find").fill("はなこ")
    tablet.page.locator(f'.find__results .rowlink[href="#/customer/{HANAKO}"]').wait_for()
    tablet.page.locator("#find").fill("")
    tablet.page.locator("#find").blur()
    tablet.scan(ICHIRO_CARD)
    tablet.page.locator(".undo--warn").wait_for()


def test_a_disk_that_is_really_full_loses_no_tap(
    contexts: Callable[..., BrowserContext], server: LiveServer, shop_engine: Engine, outcomes: Outcomes
) -> None:
    """Not a pretence: the browser itself refuses to write beyond the quota, from the first write on."""
    context = contexts()
    line = context.new_cdp_session(context.new_page())
    line.send("Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 1})
    token = device_token(shop_engine)
    tablet = Tablet(context, server.url, token, session_token(shop_engine, token, "C1"))
    tablet.page.locator("#sending").wait_for()
    tablet.serve(HANAKO_CARD)
    tablet.context.set_offline(True)
    tapped = [tablet.tap("bought"), tablet.tap("declined")]
    tablet.wait_for_counts(2)
    tablet.page.locator("#banner", has_text="容量").wait_for()
    assert tablet.page.evaluate(LEAVING), "what is only in memory goes with the page: the browser has to ask"
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0)
    assert [one.result for suggestion in tapped for one in outcomes(suggestion)] == ["bought", "declined"]
    tablet.page.locator("#banner .notice").wait_for(state="detached")
    assert not tablet.page.evaluate(LEAVING)
    tablet.hand_over()
    tablet.page.reload()
    tablet.sign_in("鈴木 健一")
    expect(tablet.page.locator(".find__columns > :last-child")).to_contain_text("まだ接客の記録がありません")
    tablet.page.locator(".tool--person").click()
    tablet.page.locator("dialog .button", has_text="サインアウト").click()
    tablet.page.locator(".person").first.wait_for()
    assert tablet.errors == []
