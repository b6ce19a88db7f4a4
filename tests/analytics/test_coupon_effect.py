"""What a coupon does: a planted effect is found within its interval, a planted none is not claimed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.coupon_effect import grant_effect, report
from journey.coupons import Coupon, CouponGrant
from journey.purchases import PosLine

PEOPLE, DAY = 3000, 200


def chain(seed: int, effect: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(grants, spend): heavier spenders are granted more often, which a plain comparison would take for an effect."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(2, 300, PEOPLE)
    granted = rng.random(PEOPLE) < np.clip(level / 3000, 0.02, 0.6)
    rows = []
    for day in range(DAY - 90, DAY + 14):
        visit = rng.random(PEOPLE) < 0.1
        spent = level * rng.lognormal(0, 0.4, PEOPLE)
        if day >= DAY:
            spent = spent + granted * effect / 1.4  # 1.4 visits in a fortnight
        rows.append(pl.DataFrame({"customer_id": np.flatnonzero(visit).astype(str), "day": day, "spend": spent[visit]}))
    grants = pl.DataFrame({"customer_id": np.flatnonzero(granted).astype(str)}).with_columns(day=pl.lit(DAY))
    return grants, pl.concat(rows)


@pytest.mark.parametrize("effect", [0.0, 900.0])
def test_intervals_cover_the_planted_effect_and_claim_none_where_there_is_none(effect: float) -> None:
    covered, claimed, draws = 0, 0, 30
    for seed in range(draws):
        found = grant_effect(*chain(seed, effect))
        assert found is not None
        covered += found.low <= effect <= found.high
        claimed += found.low > 0
    assert covered >= draws - 4  # 95 %: fewer than 27 of 30 has a chance of 2 %
    assert claimed <= 3 if effect == 0 else claimed >= draws - 3


def test_too_few_or_too_soon_tells_nothing() -> None:
    grants, spend = chain(1, 0.0)
    assert grant_effect(grants.head(10), spend) is None
    assert grant_effect(grants.with_columns(day=pl.lit(DAY + 5)), spend) is None  # the fortnight is not over
    assert grant_effect(grants.head(0), spend) is None


def test_redemptions_by_channel_with_interval(session: Session) -> None:
    at = datetime(2026, 6, 1, 3, tzinfo=UTC)
    session.add(Coupon(coupon_id="Q", name="300円引き", kind="amount", value=Decimal(300)))
    for number in range(10):
        used = number < 4
        session.add(
            CouponGrant(coupon_id="Q", customer_ref=f"C{number}", customer_id=f"C{number}", granted_at=at,
                        channel="app" if number % 2 else "store", redeemed_at=at + timedelta(days=2) if used else None,
                        redeemed_channel="ec" if number < 3 and used else "store" if used else None)
        )  # fmt: skip
    session.add(PosLine(receipt_id="R", line_no=1, store_id="S", sold_at=at, local_day=20_605, customer_id="C1",
                        product_id="P", quantity=1, amount=Decimal(100)))  # fmt: skip
    session.flush()
    found = report(session)
    (coupon,) = found["coupons"]
    assert (coupon["granted"], coupon["redeemed"], coupon["rate"]) == (10, 4, 0.4)
    assert (round(coupon["low"], 3), round(coupon["high"], 3)) == (0.168, 0.687)  # Wilson, 4 of 10
    assert (coupon["effect"], coupon["q_value"], coupon["elsewhere"]) == (None, None, 1.0)
    assert found["passages"] == [
        {"granted_on": "store", "redeemed_on": "ec", "n": 2}, {"granted_on": "app", "redeemed_on": "ec", "n": 1},
        {"granted_on": "app", "redeemed_on": "store", "n": 1},
    ]  # fmt: skip
    assert len(found["notes"]) == 1
    assert report(session, end=at - timedelta(days=9))["coupons"] == []
