from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recommender.dataset import Dataset
from recommender.live_interest import RATES
from recommender.serving_facts import PRIOR_EVENTS, live_rates, repeat_shares

START = datetime(2026, 1, 1, tzinfo=UTC)


def dataset(lines: list[tuple[str, str, float]], events: list[tuple[str | None, str, str, float]]) -> Dataset:
    """Lines: customer, product, day. Events: customer, product, kind, day."""
    return Dataset.from_frames(
        lines=pl.DataFrame(
            {
                "receipt_id": [f"R{i}" for i in range(len(lines))],
                "store_id": ["S1"] * len(lines),
                "sold_at": [START + timedelta(days=line[2]) for line in lines],
                "customer_id": [line[0] for line in lines],
                "product_id": [line[1] for line in lines],
                "quantity": [1.0] * len(lines),
            }
        ),
        events=pl.DataFrame(
            {
                "occurred_at": [START + timedelta(days=event[3]) for event in events],
                "visitor_id": [f"V{event[0]}" for event in events],
                "session_id": [f"V{event[0]}" for event in events],
                "customer_id": [event[0] for event in events],
                "kind": [event[2] for event in events],
                "product_id": [event[1] for event in events],
            }
        ),
        as_of=START + timedelta(days=30),
    )


def test_rates_are_shares_of_events_followed_by_the_purchase_within_a_week() -> None:
    data = dataset(
        [("A", "P", 5), ("A", "Q", 20), ("B", "P", 1), ("C", "P", 28)],
        [("A", "P", "view", 3), ("A", "P", "view", 4), ("A", "Q", "view", 3), ("B", "P", "view", 2),
         (None, "P", "view", 3), ("A", "P", "cart", 4), ("C", "P", "view", 27)],
    )  # fmt: skip
    # Views: A of P is followed; A of Q comes too early, B bought before, C's week is not over, nobody is not counted.
    found = live_rates(data)
    assert found["view"] == pytest.approx((1 + PRIOR_EVENTS * RATES["view"]) / (3 + PRIOR_EVENTS))
    assert found["cart"] == pytest.approx((1 + PRIOR_EVENTS * RATES["cart"]) / (1 + PRIOR_EVENTS))
    assert found["favorite"] == pytest.approx(RATES["favorite"])
    assert found.keys() == RATES.keys()


def test_shares_of_buyers_who_come_back_for_a_product() -> None:
    lines = [("A", "P", 1), ("A", "P", 2), ("B", "P", 1), ("B", "Q", 1), ("B", "Q", 1.1), ("C", "Q", 3)]
    data = dataset(lines, [("A", "P", "view", 1)])
    # P: one of two buyers; Q: none of two (B's two lines are one day's basket); all: one of four.
    assert repeat_shares(data.carded, 2).tolist() == pytest.approx([(1 + 5 / 4) / 7, (5 / 4) / 7])
