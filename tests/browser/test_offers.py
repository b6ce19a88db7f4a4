"""Proposals that are no products, what the till says without a tap, and who is next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, delete, select, update

from journey.api_keys import add_key
from journey.coupons import CouponGrant
from journey.database import reading, writing
from journey.know_how_cards import KnowHowUse
from journey.offers import Offer
from journey.outcomes import Confirmation, Outcome
from journey.purchases import PosLine
from journey.suggestions import Suggestion
from tests.browser.shop import HANAKO, HANAKO_CARD, ICHIRO, ICHIRO_CARD, STORE
from tests.browser.tablet import Tablet, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _no_offer_was_answered(shop_engine: Engine) -> None:
    with writing(shop_engine) as session:
        session.execute(delete(Offer))
        session.execute(delete(KnowHowUse))
        session.execute(update(CouponGrant).values(redeemed_at=None, redemption_id=None))


def answers(engine: Engine) -> dict[str, tuple[str | None, str | None]]:
    with reading(engine) as session:
        return {one.kind: (one.result, one.answered_by) for one in session.scalars(select(Offer))}


def test_an_order_to_hand_over_stands_first_and_takes_one_tap(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    first = tablet.page.locator(".suggestions > li").first
    expect(first).to_have_class("offer")
    assert "お受け取りのご注文" in first.inner_text()
    assert tablet.page.locator(".suggestions > li").count() <= 5
    first.locator(".outcome--bought").click()
    first.locator(".recorded").wait_for()
    tablet.wait_for_counts(0)
    assert answers(shop_engine)["collect"] == ("accepted", "C1")
    tablet.page.locator(".undo .button").click()
    expect(first).to_have_class("offer")
    tablet.wait_for_counts(0)
    assert answers(shop_engine)["collect"][0] is None


def test_a_coupon_offered_is_used_with_one_question(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(ICHIRO_CARD)
    offer = tablet.page.locator(".offer", has_text="スキンケア 10%引き")
    offer.locator(".outcome--bought").click()
    tablet.page.locator("dialog .button--danger").click()
    tablet.page.locator(".coupon .badge--good").wait_for()
    tablet.wait_for_counts(0)
    assert answers(shop_engine)["coupon"] == ("accepted", "C1")
    with reading(shop_engine) as session:
        grant = session.scalars(select(CouponGrant).where(CouponGrant.customer_id == ICHIRO)).one()
    assert grant.redeemed_channel == "store"


def test_no_offer_is_turned_to_the_customer(tablet: Tablet) -> None:
    tablet.serve(HANAKO_CARD)
    tablet.page.locator(".offer").first.wait_for()
    tablet.page.locator(".button", has_text="お客様に見せる").click()
    tablet.page.locator(".show__item").first.wait_for()
    assert "ご注文" not in tablet.page.locator("body").inner_text()


def test_the_till_confirms_without_a_tap(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(HANAKO_CARD)
    card = tablet.page.locator(".suggestion").first
    with reading(shop_engine) as session:
        suggestion = session.get_one(Suggestion, card.get_attribute("data-suggestion"))
    with writing(shop_engine) as session:
        _, key = add_key(session, name="till", now=datetime.now(UTC), scopes=("pos-lines",))
    line: dict[str, Any] = {
        "receipt_id": "TILL-1", "line_no": 1, "store_id": STORE, "sold_at": datetime.now(UTC).isoformat(),
        "customer_id": HANAKO, "product_id": suggestion.product_id, "quantity": 1, "amount": 100,
    }  # fmt: skip
    told = tablet.context.request.post(
        "/api/pos-lines", data={"pos_lines": [line]}, headers={"Authorization": f"Bearer {key}"}
    )
    assert told.json()["inserted"] == 1
    try:
        tablet.go("day")
        row = tablet.page.locator(".task", has_text="購入(ボタンなし)")
        row.wait_for()
        assert "レジ確認" in row.inner_text()
        assert row.locator(".button").count() == 0, "there is nothing to correct where nothing was tapped"
    finally:
        with writing(shop_engine) as session:
            session.execute(delete(PosLine).where(PosLine.receipt_id == "TILL-1"))
            session.execute(delete(Confirmation))


def test_who_is_next_finds_suggestions_made_ahead(tablet: Tablet) -> None:
    tablet.go("day")
    # not by a reload: the answer to the page before it would be caught, and its text be gone
    with tablet.page.expect_response("**/api/expected/suggestions") as first:
        tablet.go("find")
    assert first.value.ok
    assert 0 <= first.value.json()["made"] <= 3
    tablet.page.locator(".find__columns .rowlink", has_text="中村 一郎").wait_for()
    rows = tablet.page.locator(".find__columns > :first-child .rowlink", has_text="山田 花子")
    assert rows.count() <= 1, "who checked in to collect an order is one customer"


def test_a_promise_of_today_is_told_at_the_door(tablet: Tablet) -> None:
    tablet.page.locator(".rowlink--task", has_text="今日の再ご案内 1件").click()
    tablet.page.locator(".task", has_text="薬用しっとり美容液").wait_for()


def uses(engine: Engine) -> list[tuple[str, str | None]]:
    with reading(engine) as session:
        found = session.scalars(select(KnowHowUse).where(KnowHowUse.clerk_id == "C1")).all()
        return [(one.kind, one.suggestion_id) for one in found]


def test_know_how_stands_where_it_fits_and_one_tap_says_that_it_was_tried(
    tablet: Tablet, shop_engine: Engine, outcomes: Callable[..., list[Outcome]]
) -> None:
    tablet.serve(HANAKO_CARD)
    fits = tablet.page.locator(".suggestion", has=tablet.page.locator(".suggestion__knowhow"))
    fits.wait_for()
    assert "ハンドクリーム" in fits.inner_text()
    suggestion_id = fits.get_attribute("data-suggestion")
    fits.locator(".suggestion__open").click()
    tablet.page.locator("dialog .knowhow .button", has_text="試した").click()
    tablet.page.locator("dialog .knowhow .badge", has_text="試しました").wait_for()
    tablet.page.keyboard.press("Escape")
    tablet.go("day")
    tablet.page.locator(".knowhow", has_text="手の甲でお試しいただく").wait_for()
    # the sight of a card is noted after it was drawn, so an empty outbox says nothing yet
    wait_until(tablet.page, lambda: len(uses(shop_engine)) >= 2)
    assert sorted(uses(shop_engine), key=lambda use: use[0]) == [("seen", None), ("tried", suggestion_id)]
    tablet.go("find")
    tablet.go("day")
    tablet.page.locator(".knowhow").wait_for()
    tablet.go("find")
    tablet.serve(HANAKO_CARD)
    answered = tablet.tap("declined")  # it leaves after whatever my day had noted
    wait_until(tablet.page, lambda: bool(outcomes(answered)))
    assert len(uses(shop_engine)) == 2, "a card is seen once a day"
