"""What the server refuses is told to a person in words, kept, and never in the way of anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from journey.coupons import CouponGrant
from journey.database import writing
from journey.outcomes import Outcome
from journey.redemptions import Redemption, redeem
from journey.suggestions import Suggestion
from tests.browser.shop import ICHIRO, ICHIRO_CARD, OTHER_STORE
from tests.browser.tablet import Tablet

pytestmark = pytest.mark.browser
Outcomes = Callable[..., list[Outcome]]


def refused_words(tablet: Tablet) -> str:
    """Follow the word that pops up to where the refused are kept."""
    tablet.page.locator(".undo--warn a", has_text="確認する").click()
    refused = tablet.page.locator(".entry--refused")
    refused.wait_for()
    return refused.inner_text()


def settle(tablet: Tablet) -> None:
    tablet.page.locator(".entry--refused .button", has_text="対応済みにする").click()
    tablet.page.locator("dialog .button--danger").click()
    tablet.wait_for_counts(0, refused=0)


def test_409_a_coupon_that_the_till_used_meanwhile(tablet: Tablet, shop_engine: Engine) -> None:
    tablet.serve(ICHIRO_CARD)
    tablet.context.set_offline(True)
    tablet.page.locator(".coupon .button").click()
    tablet.page.locator("dialog .button--danger").click()
    tablet.page.locator(".coupon .badge--good").wait_for()
    tablet.wait_for_counts(1)
    with writing(shop_engine) as session:
        redeem(session, Redemption("till-1", "Q1", ICHIRO, datetime.now(UTC), "ec"))
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0, refused=1)
    tablet.page.locator(".coupon .badge--bad", has_text="使えません").wait_for()
    told = refused_words(tablet)
    assert "すでに使われています" in told
    assert "Web" in told
    settle(tablet)
    with writing(shop_engine) as session:
        session.execute(update(CouponGrant).where(CouponGrant.customer_id == ICHIRO).values(redeemed_at=None))


def test_403_a_suggestion_that_now_belongs_to_another_store(
    tablet: Tablet, shop_engine: Engine, outcomes: Outcomes
) -> None:
    tablet.serve(ICHIRO_CARD)
    tablet.context.set_offline(True)
    suggestion_id, other = tablet.tap("declined"), tablet.tap("bought")
    tablet.wait_for_counts(2)
    with writing(shop_engine) as session:
        moved = update(Suggestion).where(Suggestion.suggestion_id == suggestion_id)
        session.execute(moved.values(store_id=OTHER_STORE))
    tablet.context.set_offline(False)
    tablet.wait_for_counts(0, refused=1)
    assert "ほかの店舗の情報です" in refused_words(tablet)
    assert [one.result for one in outcomes(other)] == ["bought"]
    assert outcomes(suggestion_id) == []
    settle(tablet)


def test_422_a_correction_after_the_day_is_over(tablet: Tablet, shop_engine: Engine, outcomes: Outcomes) -> None:
    tablet.serve(ICHIRO_CARD)
    suggestion_id = tablet.tap("bought")
    tablet.wait_for_counts(0)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with writing(shop_engine) as session:
        session.execute(
            update(Outcome)
            .where(Outcome.suggestion_id == suggestion_id)
            .values(occurred_at=long_ago, received_at=long_ago, ordered_at=long_ago)
        )
    tablet.page.locator(".recorded .button--plain").click()
    tablet.page.locator(f'[data-suggestion="{suggestion_id}"] .outcome--declined').click()
    tablet.wait_for_counts(0, refused=1)
    told = refused_words(tablet)
    assert "営業日を過ぎたため" in told
    assert "見送り" in told
    assert [one.result for one in outcomes(suggestion_id)] == ["bought"]
    settle(tablet)
