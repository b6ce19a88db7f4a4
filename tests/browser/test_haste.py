"""Hurried hands: two taps at once, a scan while the tablet wakes up, a screen that changes under a finger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import Engine, select

from journey.database import reading
from journey.outcomes import FollowUp, Outcome
from tests.browser.shop import BARLEY_TEA, HANAKO, HANAKO_CARD, ICHIRO, ICHIRO_CARD, PRODUCTS
from tests.browser.tablet import Tablet, kept, wait_until

pytestmark = pytest.mark.browser
Outcomes = Callable[..., list[Outcome]]


def hold_first(tablet: Tablet, pattern: str) -> list[Route]:
    """Holds the first request of that kind back, in the list that is returned; those that follow go through."""
    held: list[Route] = []
    tablet.page.route(pattern, lambda route: route.continue_() if held else held.append(route))
    return held


def test_a_second_tap_at_once_is_no_second_outcome(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    shown = [one.get_attribute("data-suggestion") for one in tablet.page.locator(".suggestion").all()]
    card = tablet.page.locator(f'.suggestion[data-suggestion="{shown[0]}"]')
    card.locator(".outcome--bought").dblclick()
    tablet.page.locator(".suggestion--recorded").wait_for()
    tablet.wait_for_counts(0)
    assert [(one.suggestion_id, one.result) for one in outcomes(*shown)] == [(shown[0], "bought")]


def test_two_taps_on_one_suggestion_are_an_outcome_and_its_correction(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    card = tablet.page.locator(".suggestion").first
    suggestion_id = card.get_attribute("data-suggestion")
    card.evaluate("(card) => ['bought', 'declined'].forEach((one) => card.querySelector(`.outcome--${one}`).click())")
    tablet.page.locator(".recorded__what--declined").wait_for()
    tablet.page.locator(".undo .button").click()  # takes back both
    tablet.page.locator(".undo--word").wait_for()
    tablet.wait_for_counts(0)
    assert [one.current for one in outcomes(suggestion_id)] in ([], [False], [False, False])


def test_two_taps_on_a_date_are_one_promise(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("considering")
    chip = tablet.page.locator(".chip", has_text="1週間後")
    chip.evaluate("(chip) => { chip.click(); chip.click(); }")
    tablet.page.locator(".undo--word").wait_for()
    tablet.wait_for_counts(0)
    with reading(shop_engine) as session:
        promises = session.scalars(select(FollowUp).where(FollowUp.suggestion_id == suggestion_id)).all()
    assert len(promises) == 1


def test_a_scan_while_the_tablet_wakes_up_is_heard(tablet: Tablet) -> None:
    held = hold_first(tablet, "**/api/session")
    tablet.page.reload()
    wait_until(tablet.page, lambda: bool(held))
    tablet.scan(HANAKO_CARD)
    held[0].continue_()
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()


def test_a_card_and_an_item_scanned_right_after_each_other_keep_their_order(tablet: Tablet) -> None:
    held = hold_first(tablet, f"**/api/customers?q={HANAKO_CARD}")
    tablet.scan(HANAKO_CARD)
    tablet.scan(BARLEY_TEA)
    wait_until(tablet.page, lambda: bool(held))
    held[0].continue_()
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()
    expect(tablet.page.locator(".seen .chip").first).to_contain_text("国産麦茶")


def test_a_set_that_arrives_under_a_finger_takes_no_tap_away(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    held = hold_first(tablet, "**/suggestions")
    tablet.scan(PRODUCTS[20])
    wait_until(tablet.page, lambda: bool(held))
    card = tablet.open_suggestions().first
    suggestion_id = card.get_attribute("data-suggestion")
    box = card.locator(".outcome--bought").bounding_box()
    assert box is not None
    former = tablet.page.locator(".suggestions").element_handle()
    tablet.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tablet.page.mouse.down()
    with tablet.page.expect_response("**/suggestions"):
        held[0].continue_()
    tablet.page.wait_for_timeout(200)
    assert former.is_visible(), "the list was exchanged while the finger was on it"
    tablet.page.mouse.up()
    former.wait_for_element_state("hidden")
    tablet.page.locator(".undo .button").wait_for()
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(suggestion_id)] == ["bought"]


def test_the_network_coming_back_leaves_what_the_clerk_has_before_their_eyes(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    first = tablet.tap("declined")
    tablet.wait_for_counts(0)
    tablet.context.set_offline(True)
    second = tablet.tap("bought")
    tablet.wait_for_counts(1)
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0)
    tablet.page.locator("#sending", has_text="送信済み").wait_for()
    for suggestion_id in (first, second):
        expect(tablet.page.locator(f'.suggestion--recorded[data-suggestion="{suggestion_id}"]')).to_be_visible()


def test_a_note_being_written_is_not_drawn_over(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.go("find")
    held = hold_first(tablet, f"**/api/customers/{HANAKO}")
    tablet.page.locator(".rowlink--now").click()
    note = tablet.page.locator("#note")
    note.press_sequentially("ラッピ", delay=20)
    with tablet.page.expect_response(f"**/api/customers/{HANAKO}"):
        wait_until(tablet.page, lambda: bool(held))
        held[0].continue_()
    tablet.page.wait_for_timeout(100)
    tablet.page.keyboard.insert_text("ング")
    expect(note).to_have_value("ラッピング")
    note.fill("")


def test_a_code_belongs_to_whom_it_opened_and_to_nobody_opened_later(tablet: Tablet) -> None:
    tablet.serve(ICHIRO_CARD)
    tablet.go("find")
    tablet.page.locator(".find__columns .rowlink", has_text="山田 花子").first.click()
    tablet.page.locator("h1", has_text="山田 花子 様").wait_for()
    wait_until(tablet.page, lambda: set(kept(tablet.page, "customers")) == {HANAKO, ICHIRO})
    tablet.go("find")
    tablet.context.set_offline(True)
    tablet.scan(ICHIRO_CARD)
    tablet.page.locator("h1", has_text="中村 一郎 様").wait_for()
