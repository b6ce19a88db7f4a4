"""A clerk's work from the scan to the outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, select

from journey.coupons import CouponGrant
from journey.customers import Customer, CustomerNote
from journey.database import reading, writing
from journey.outcomes import FollowUp, Outcome
from journey.suggestions import Dismissal, Suggestion
from tests.browser.shop import BARLEY_TEA, HANAKO, HANAKO_CARD, ICHIRO, ICHIRO_CARD, PIN, PRODUCTS
from tests.browser.tablet import Tablet, wait_until

pytestmark = pytest.mark.browser
Outcomes = Callable[..., list[Outcome]]


@pytest.mark.parametrize("place", ["find", "day", "outbox"])
def test_a_scan_anywhere_opens_the_customer_without_a_tap(tablet: Tablet, place: str) -> None:
    tablet.go(place)
    tablet.serve(HANAKO_CARD)
    assert tablet.page.locator("h1").inner_text() == "山田 花子 様"
    assert 1 <= tablet.page.locator(".suggestion").count() <= 5
    for card in tablet.page.locator(".suggestion").all():
        assert card.locator(".suggestion__reason").inner_text().strip()
        assert "税込" in card.locator(".price").inner_text()


@pytest.mark.parametrize("scanned", [f"A{HANAKO_CARD}A", f"*{ICHIRO_CARD}*", ICHIRO_CARD])
def test_cards_of_every_symbology(tablet: Tablet, scanned: str) -> None:
    tablet.serve(scanned)
    assert tablet.page.locator("h1").inner_text() in ("山田 花子 様", "中村 一郎 様")


def test_a_scan_into_a_field_leaves_no_trace_in_it(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    note = tablet.page.locator("#note")
    note.fill("次回は試供品を")
    tablet.scan(BARLEY_TEA)
    tablet.page.locator(".seen .chip").first.wait_for()
    assert note.input_value() == "次回は試供品を"


def test_one_tap_records_and_a_second_gives_the_reason(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("declined")
    tablet.wait_for_counts(0)
    (recorded,) = outcomes(suggestion_id)
    assert (recorded.result, recorded.clerk_id, recorded.why, recorded.current) == ("declined", "C1", None, True)
    tablet.page.locator(".recorded .chip", has_text="価格").click()
    tablet.page.locator('.recorded .chip[aria-pressed="true"]').wait_for()
    tablet.wait_for_counts(0)
    assert [(one.result, one.why) for one in outcomes(suggestion_id) if one.current] == [("declined", "price")]


def test_undo_within_ten_seconds(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(0)
    assert [one.current for one in outcomes(suggestion_id)] == [True]
    tablet.page.locator(".undo .button").click()
    tablet.page.locator(f'.suggestion:not(.suggestion--recorded)[data-suggestion="{suggestion_id}"]').wait_for()
    tablet.wait_for_counts(0)
    assert [one.current for one in outcomes(suggestion_id)] == [False]


def test_a_later_tap_corrects(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(0)
    tablet.page.locator(".recorded .button--plain").click()
    tablet.page.locator(f'[data-suggestion="{suggestion_id}"] .outcome--considering').click()
    tablet.page.locator(".recorded__what--considering").wait_for()
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(suggestion_id) if one.current] == ["considering"]
    assert len(outcomes(suggestion_id)) == 2


def test_my_day_corrects_until_closing_time(tablet: Tablet, outcomes: Outcomes) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(0)
    tablet.go("day")
    row = tablet.page.locator(".task", has=tablet.page.locator("strong", has_text="購入")).first
    row.locator(".button--plain").click()
    tablet.page.locator("dialog .button", has_text="見送り").click()
    tablet.page.locator(".undo--word").wait_for()
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(suggestion_id) if one.current] == ["declined"]


def test_considering_comes_back_as_a_task(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    suggestion_id = tablet.tap("considering")
    tablet.page.locator(".chip", has_text="1週間後").click()
    tablet.page.locator(".undo--word").wait_for()
    tablet.wait_for_counts(0)
    with reading(shop_engine) as session:
        task = session.scalars(select(FollowUp).where(FollowUp.suggestion_id == suggestion_id)).one()
    assert (task.customer_id, task.clerk_id) == (HANAKO, "C1")


def test_a_dismissed_product_vanishes_and_stays_away(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(ICHIRO_CARD)
    card = tablet.page.locator(".suggestion").first
    name = card.locator(".suggestion__open").inner_text().splitlines()[0].removesuffix(" 詳しく")
    card.locator(".suggestion__dismiss").click()
    with tablet.another_set():
        tablet.page.locator("dialog .button", has_text="お好みでない").click()
    tablet.wait_for_counts(0)
    tablet.page.locator(".suggestion").first.wait_for()
    # by its title: another card may name it in its reason
    expect(tablet.page.locator(".suggestion__open", has_text=name)).to_have_count(0)
    with reading(shop_engine) as session:
        gone = session.scalars(select(Dismissal).where(Dismissal.customer_id == ICHIRO)).one()
        latest = session.scalars(
            select(Suggestion).where(Suggestion.customer_id == ICHIRO).order_by(Suggestion.shown_at.desc())
        ).first()
        assert latest is not None
        newest = session.scalars(select(Suggestion.product_id).where(Suggestion.set_id == latest.set_id)).all()
    assert (gone.why, gone.clerk_id) == ("dislikes", "C1")
    assert gone.product_id not in newest


def test_an_item_the_customer_looks_at_changes_the_set(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    with tablet.page.expect_response("**/suggestions") as answer:
        tablet.scan(BARLEY_TEA)
    assert answer.value.request.post_data_json["seen_products"] == [BARLEY_TEA]
    chip = tablet.page.locator(".seen .chip").first
    assert chip.inner_text().startswith("国産麦茶")
    with tablet.page.expect_response("**/suggestions") as answer:
        chip.click()
    assert answer.value.request.post_data_json["basket"] == [BARLEY_TEA]
    assert "seen_products" not in answer.value.request.post_data_json
    with tablet.page.expect_response("**/suggestions") as answer:
        tablet.page.locator(".seen .chip").nth(1).click()
    assert not {"basket", "seen_products"} & set(answer.value.request.post_data_json)
    expect(tablet.page.locator(".seen .chip")).to_have_count(0)


def test_the_anonymous_path_needs_no_name(tablet: Tablet, outcomes: Outcomes, shop_engine: Engine) -> None:
    tablet.scan(PRODUCTS[3])
    tablet.page.locator(".suggestion").first.wait_for()
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(0)
    assert [one.result for one in outcomes(suggestion_id)] == ["bought"]
    with reading(shop_engine) as session:
        assert session.get_one(Suggestion, suggestion_id).customer_id is None


def test_search_by_kana_kanji_and_number(tablet: Tablet) -> None:
    found = tablet.page.locator(".find__results .rowlink")
    for typed in ("やまだ", "ﾔﾏﾀﾞ", "山田", HANAKO_CARD):
        tablet.page.locator("#find").fill(typed)
        found.filter(has_text="山田 花子").wait_for()
        tablet.page.locator("#find").fill("")
        expect(found).to_have_count(0)


def test_a_note_is_kept(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.page.locator("#note").fill("ラッピングをご希望")
    with tablet.page.expect_response(lambda answer: answer.url.endswith("/notes") and answer.ok):
        tablet.page.locator("form .button", has_text="メモを残す").click()
    tablet.page.locator(".note", has_text="ラッピングをご希望").wait_for()
    tablet.wait_for_counts(0)
    with reading(shop_engine) as session:
        assert (
            session.scalars(select(CustomerNote).where(CustomerNote.text == "ラッピングをご希望")).one().clerk_id
            == "C1"
        )


def test_a_coupon_from_the_app_is_redeemed_at_the_counter(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.page.locator(".coupon .button").click()
    tablet.page.locator("dialog .button--danger").click()
    tablet.page.locator(".coupon .badge--good").wait_for()
    tablet.wait_for_counts(0)
    with reading(shop_engine) as session:
        grant = session.scalars(select(CouponGrant).where(CouponGrant.customer_id == HANAKO)).one()
    assert grant.redeemed_at is not None
    assert grant.redeemed_channel == "store"


def test_a_consent_taken_back_at_the_counter_holds_at_once(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(ICHIRO_CARD)
    tablet.page.locator(".consents").click()
    group = tablet.page.get_by_role("group", name="お買い物やWebの記録をもとにしたおすすめ")
    try:
        with tablet.page.expect_response("**/suggestions"):
            group.locator(".chip", has_text="希望されない").click()
        tablet.page.locator(".consents .badge--bad").wait_for()
        tablet.wait_for_counts(0)
        with reading(shop_engine) as session:
            assert session.get_one(Customer, ICHIRO).consent_profiling is False
    finally:
        with writing(shop_engine) as session:
            session.get_one(Customer, ICHIRO).consent_profiling = True


def test_the_turned_screen_says_nothing_internal(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    reasons = [text for text in tablet.page.locator(".suggestion__reason").all_inner_texts() if text.strip()]
    tablet.page.locator(".button", has_text="お客様に見せる").click()
    tablet.page.locator(".show__item").first.wait_for()
    shown = tablet.page.locator("body").inner_text()
    assert "税込" in shown
    for internal in ("山田", "無香料", "重点", "在庫", "購入", "佐藤", "クーポン", *reasons):
        assert internal not in shown
    tablet.scan(ICHIRO_CARD)
    tablet.page.wait_for_timeout(300)
    assert tablet.page.locator(".show").count() == 1, "a scan must not bring another customer before this one's eyes"
    tablet.page.get_by_label("スタッフ画面").click()
    tablet.page.locator(".show__hand .button--main").click()
    tablet.page.locator(".serve").wait_for()


def test_everything_by_keyboard(tablets: Callable[..., Tablet], outcomes: Outcomes) -> None:
    """From the face to the outcome with its reason, the turned screen and back, and the colleague: no finger needed."""
    tablet = tablets()
    page = tablet.page
    page.locator(".person").first.wait_for()
    reach(tablet, "document.activeElement.dataset.person === 'C1'")
    page.keyboard.press("Enter")
    tablet.try_pin(PIN)
    page.locator("#sending").wait_for()
    reach(tablet, "document.activeElement.id === 'find'")
    page.keyboard.type("やまだ", delay=120)
    page.locator(".find__results .rowlink").wait_for()
    page.keyboard.press("Enter")
    reach(tablet, "document.activeElement.matches('.find__results .rowlink')", at_most=0)
    page.keyboard.press("Enter")
    page.locator(".suggestion").first.wait_for()
    page.locator(".about--head").wait_for()
    reach(tablet, "document.activeElement.matches('.suggestion .outcome--declined')")
    suggestion_id = page.evaluate("document.activeElement.closest('.suggestion').dataset.suggestion")
    page.keyboard.press("Enter")
    page.locator(".suggestion--recorded").wait_for()
    reach(tablet, "document.activeElement.matches('.recorded__why .chip')", at_most=4)
    page.keyboard.press("Enter")
    page.locator('.recorded .chip[aria-pressed="true"]').wait_for()
    tablet.wait_for_counts(0)
    assert [(one.result, one.why) for one in outcomes(suggestion_id) if one.current] == [("declined", "price")]
    reach(tablet, "document.activeElement.matches('.suggestion__open')")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    wait_until(page, "document.activeElement.matches('.suggestion__open')")
    reach(tablet, "document.activeElement.matches('.serve__head > .row .button')")
    page.keyboard.press("Enter")
    page.locator(".show__item").first.wait_for()
    reach(
        tablet, "document.activeElement.closest('.show__hand') && document.activeElement.ariaLabel === 'スタッフ画面'"
    )
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator(".serve").wait_for()
    reach(tablet, "document.activeElement.matches('.tool--person')")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    reach(tablet, "document.activeElement.matches('dialog .button--main')")
    page.keyboard.press("Enter")
    page.locator(".person").first.wait_for()


def reach(tablet: Tablet, there: str, at_most: int = 80) -> None:
    """Press Tab until the focus is where it is wanted."""
    for _ in range(at_most):
        if tablet.page.evaluate(there):
            return
        tablet.page.keyboard.press("Tab")
    wait_until(tablet.page, there)
