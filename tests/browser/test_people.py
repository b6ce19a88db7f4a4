"""Many people, one tablet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Route, expect
from sqlalchemy import Engine, select

from journey.accounts import Device, set_pin
from journey.database import reading, writing
from journey.devices import revoke_device
from journey.outcomes import Outcome
from tests.browser.live_server import LiveServer
from tests.browser.shop import HANAKO_CARD, PIN, enrolment_code
from tests.browser.tablet import Tablet, kept, wait_until

pytestmark = pytest.mark.browser
Outcomes = Callable[..., list[Outcome]]


def test_a_new_tablet_is_enrolled_with_a_code(
    contexts: Callable[..., BrowserContext], server: LiveServer, shop_engine: Engine
) -> None:
    tablet = Tablet(contexts(), server.url, token=None)
    page = tablet.page
    page.locator("#enrol-code").fill("WRONG-CODE")
    page.keyboard.press("Enter")
    page.locator(".notice--bad", has_text="登録コードが違う").wait_for()
    page.locator("#enrol-code").fill(enrolment_code(shop_engine))
    page.keyboard.press("Enter")
    page.locator(".person", has_text="佐藤 花子").wait_for()
    assert page.locator(".gate__name").inner_text() == "青葉台店"


def test_a_wrong_pin_is_told_and_nothing_opens(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets()
    tablet.page.locator(".person", has_text="田中 大輔").click()
    tablet.try_pin("9999")
    tablet.page.locator(".notice--bad", has_text="PINが違います").wait_for()
    assert tablet.page.locator(".frame").count() == 0


def test_five_wrong_pins_lock_the_account_and_say_for_how_long(
    tablets: Callable[..., Tablet], shop_engine: Engine
) -> None:
    tablet = tablets()
    tablet.page.locator(".person", has_text="高橋 美咲").click()
    for _ in range(5):
        tablet.try_pin("9999")
        tablet.page.locator(".notice--bad").wait_for()
    tablet.try_pin(PIN)
    tablet.page.locator(".notice--bad", has_text="約5分間使えません").wait_for()
    assert tablet.page.locator(".frame").count() == 0
    with writing(shop_engine) as session:
        set_pin(session, "C3", PIN, now=datetime.now(UTC))  # what the manager does
    tablet.try_pin(PIN)
    tablet.page.locator(".frame").wait_for()


def test_digits_typed_while_a_wrong_pin_is_looked_at_begin_the_next_try(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets()
    held: list[Route] = []
    tablet.page.route("**/api/session", lambda route: held.append(route) if not held else route.continue_())
    tablet.page.locator(".person", has_text="田中 大輔").click()
    tablet.page.locator("#pin").wait_for()
    tablet.page.keyboard.type("9999")
    tablet.page.keyboard.press("Enter")
    tablet.page.locator('.pin[aria-busy="true"]').wait_for()
    tablet.page.keyboard.type(PIN)  # the clerk has noticed, the network has not
    wait_until(tablet.page, lambda: bool(held))
    held[0].continue_()
    tablet.page.locator(".notice--bad", has_text="PINが違います").wait_for()
    tablet.page.keyboard.press("Enter")
    tablet.page.locator("#sending").wait_for()


def test_who_signs_out_before_the_pin_is_worked_out_does_not_come_back_without_a_network(
    tablets: Callable[..., Tablet],
) -> None:
    slow = (
        "const derive = SubtleCrypto.prototype.deriveBits;"
        " SubtleCrypto.prototype.deriveBits = async function (...a) {"
        " const made = await derive.apply(this, a); await new Promise((done) => { window.release = done; });"
        " window.released = true; return made; };"
    )
    tablet = tablets(script=slow)
    tablet.sign_in("田中 大輔")
    wait_until(tablet.page, "window.release !== undefined")
    tablet.page.locator(".tool--person").click()
    tablet.page.locator("dialog .button", has_text="サインアウト").click()
    tablet.page.locator(".person").first.wait_for()
    tablet.page.evaluate("release()")
    tablet.page.wait_for_timeout(300)
    assert kept(tablet.page, "values", "people")
    assert not kept(tablet.page, "values", "offline_pin")


def test_the_outcome_belongs_to_who_tapped(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.page.route("**/api/outcomes/*", lambda route: route.abort())
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    tablet.hand_over()
    expect(tablet.page.locator(".notice", has_text="1件")).to_have_count(1)
    tablet.sign_in("鈴木 健一")
    tablet.wait_for_counts(1)
    tablet.page.unroute("**/api/outcomes/*")
    tablet.page.evaluate("window.dispatchEvent(new Event('online'))")
    tablet.wait_for_counts(0)
    assert [one.clerk_id for one in outcomes(suggestion_id)] == ["C1"]


def test_a_colleague_sees_no_customer_of_mine_and_my_draft_waits_for_me(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.page.locator("#note").fill("お孫さんの話をされていた")
    wait_until(tablet.page, lambda: kept(tablet.page, "customers") == ["K0001"])
    tablet.hand_over()
    tablet.sign_in("鈴木 健一")
    assert tablet.page.locator("h1").inner_text() == "お客様をお迎えする"
    expect(tablet.page.locator(".find__columns > :last-child")).to_contain_text("まだ接客の記録がありません")
    assert kept(tablet.page, "customers") == []
    tablet.hand_over()
    tablet.sign_in("佐藤 花子")
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()
    wait_until(tablet.page, "document.getElementById('note')?.value === 'お孫さんの話をされていた'")


def test_signing_out_clears_customers_but_never_the_outbox(tablets: Callable[..., Tablet], outcomes: Outcomes) -> None:
    tablet = tablets()
    tablet.sign_in("佐藤 花子")
    tablet.serve(HANAKO_CARD)
    tablet.context.set_offline(True)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(1)
    tablet.page.locator(".tool--person").click()
    tablet.page.locator("dialog .button", has_text="サインアウト").click()
    tablet.page.locator(".person").first.wait_for()
    assert kept(tablet.page, "customers") == []
    tablet.context.set_offline(False)
    # not even a colleague is needed: the tablet itself may deliver what a person tapped on it
    wait_until(tablet.page, lambda: bool(outcomes(suggestion_id)))
    assert [one.clerk_id for one in outcomes(suggestion_id)] == ["C1"]


def test_a_revoked_tablet_forgets_everybody_but_not_what_was_tapped(
    tablets: Callable[..., Tablet], shop_engine: Engine
) -> None:
    tablet = tablets()
    tablet.sign_in("佐藤 花子")
    tablet.serve(HANAKO_CARD)
    with reading(shop_engine) as session:
        device_id = session.scalars(select(Device.device_id).order_by(Device.enrolled_at.desc())).first()
    assert device_id is not None
    with writing(shop_engine) as session:
        revoke_device(session, device_id, now=datetime.now(UTC))
    tablet.open_suggestions().first.locator(".outcome--bought").click()  # the answer takes the screen away at once
    tablet.page.locator("#enrol-code").wait_for()
    assert kept(tablet.page, "customers") == []
    assert "山田" not in tablet.page.locator("body").inner_text()
    tablet.page.locator("#enrol-code").fill(enrolment_code(shop_engine))
    tablet.page.keyboard.press("Enter")
    tablet.page.locator(".notice", has_text="1件").wait_for()
    tablet.sign_in("佐藤 花子")
    tablet.wait_for_counts(0)


def test_an_idle_tablet_locks(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets(script="")
    tablet.page.clock.install()
    tablet.page.reload()
    tablet.sign_in("高橋 美咲")
    tablet.serve(HANAKO_CARD)
    tablet.page.clock.fast_forward("05:01")
    tablet.page.locator(".person").first.wait_for()
    assert "山田" not in tablet.page.locator("body").inner_text()


def test_without_a_network_only_the_last_person_comes_back_in(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets()
    tablet.sign_in("佐藤 花子")
    tablet.serve(HANAKO_CARD)
    wait_until(tablet.page, lambda: bool(kept(tablet.page, "values", "offline_pin")))  # the slow hash of the PIN
    tablet.hand_over()
    tablet.context.set_offline(True)
    tablet.page.locator(".person", has_text="鈴木 健一").click()
    tablet.try_pin(PIN)
    tablet.page.locator(".notice--warn", has_text="オフライン").wait_for()
    tablet.page.get_by_label("別の名前を選ぶ").click()
    tablet.sign_in("佐藤 花子")
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()


def test_english_for_one_japanese_for_the_other(tablets: Callable[..., Tablet]) -> None:
    tablet = tablets(by="C4")  # the server remembers the choice: somebody whom no other test asks
    tablet.page.locator(".frame__tools .tool", has_text="English").click()
    tablet.page.locator("h1", has_text="Find the customer").wait_for()
    assert tablet.page.evaluate("document.documentElement.lang") == "en"
    tablet.serve(HANAKO_CARD)
    assert tablet.page.locator(".suggestion .outcome--bought").first.inner_text() == "Bought"
    assert "incl. tax" in tablet.page.locator(".price").first.inner_text()
    tablet.hand_over()
    tablet.sign_in("鈴木 健一")
    tablet.hand_over()
    tablet.sign_in("田中 大輔")
    tablet.page.locator(".frame__tools .tool", has_text="日本語").wait_for()
