"""The staff report on both databases, on rows few enough to count by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics import staff_success
from analytics.staff_success import proposal_cells, roll_up
from journey.customers import Customer
from journey.outcomes import Confirmation, FollowUp, Outcome
from journey.products import Product
from journey.stores import Clerk, Store
from journey.suggestions import ClerkTarget, Suggestion
from journey.surveys import Answer, Survey
from journey.traffic import Traffic
from journey.visits import Visit

NOON = datetime(2026, 1, 5, 3, tzinfo=UTC)  # 12:00 in Tokyo
NOW = NOON + timedelta(days=12)
KEYS = {
    *("clerk_id", "store_id", "shown", "proposed", "accepted", "confirmed", "rate", "expected", "oe"),
    *("shrunk_rate", "low", "high", "p_top_fifth", "flag"),
}
FLAGS = {"none", "high_95", "high_998", "low_95", "low_998"}


def suggestion(number: int, clerk: str | None, **more: object) -> Suggestion:
    values: dict[str, object] = {
        "suggestion_id": f"S{number}",
        "customer_id": f"C{number % 3}",
        "store_id": "001",
        "clerk_id": clerk,
        "shown_at": NOON + timedelta(hours=number % 8, days=number // 8),
        "product_id": f"P{number % 2}",
        "rank": 1,
        "probability": 0.1 + 0.02 * (number % 10),
    }
    return Suggestion(**(values | more))


def outcome(number: int, clerk: str, result: str, **more: object) -> Outcome:
    values: dict[str, object] = {
        "outcome_id": f"O{number}",
        "suggestion_id": f"S{number}",
        "clerk_id": clerk,
        "occurred_at": NOON + timedelta(days=number // 8),
        "result": result,
    }
    return Outcome(**(values | more))


def report(session: Session, **asked: Any) -> dict[str, Any]:
    """The report after a roll-up, as the command gives it."""
    roll_up(session, now=NOW)
    return staff_success.report(session, **asked)


@pytest.fixture
def chain(session: Session) -> Session:
    session.add_all([Store(store_id="001", name="本店"), Store(store_id="002", name="Paris", timezone="Europe/Paris")])
    session.add_all([Clerk(clerk_id=f"K{i}", store_id="001" if i < 3 else "002", name=f"店員{i}") for i in range(4)])
    session.add_all([Customer(customer_id=f"C{i}", tier="gold" if i else None) for i in range(3)])
    session.add_all([Product(product_id=f"P{i}", name=f"商品{i}", category=f"食品{i} > 菓子") for i in range(2)])
    session.add_all(
        [Traffic(store_id="001", starts_at=NOON + timedelta(hours=h), minutes=60, entered=10 * h) for h in range(8)]
    )
    return session


def test_the_funnel_of_counts(chain: Session) -> None:
    results = ["bought", "declined", "considering", "not_proposed", "bought", "declined"]
    for number, result in enumerate(results):
        chain.add_all([suggestion(number, "K1"), outcome(number, "K1", result)])
    chain.add(suggestion(6, "K1"))  # shown, nothing recorded
    chain.add_all([suggestion(7, "K1"), outcome(7, "K2", "bought")])  # a colleague recorded it
    chain.add_all([suggestion(8, None), suggestion(9, None), outcome(9, "K2", "declined")])
    chain.add(outcome(10, "K1", "bought", suggestion_id="S1", current=False))  # corrected later
    chain.add_all([suggestion(11, "K2"), outcome(11, "K2", "bought", retracted_at=NOON)])
    chain.add(Confirmation(suggestion_id="S0", receipt_id="R", line_no=1, sold_at=NOON, first_purchase=True))
    chain.flush()
    rows = {row["clerk_id"]: row for row in report(chain)["clerks"]}
    assert set(rows) == {"K1", "K2"}
    k1, k2 = rows["K1"], rows["K2"]
    assert (k1["shown"], k1["proposed"], k1["accepted"], k1["confirmed"]) == (7, 5, 2, 1)
    assert (k2["shown"], k2["proposed"], k2["accepted"], k2["confirmed"]) == (3, 2, 1, 0)
    assert k1["rate"] == pytest.approx(0.4)
    assert k1["first_purchases"] == 1
    assert k1["recorded_share"] == pytest.approx(6 / 7)
    for row in rows.values():
        assert set(row) >= KEYS
        assert row["flag"] in FLAGS
        assert 0 <= row["low"] < row["shrunk_rate"] < row["high"] <= 1
        assert row["oe"] == pytest.approx(row["rate"] / row["expected"])


def test_dates_are_days_of_the_chain_and_stores_only_choose_rows(chain: Session) -> None:
    for number in range(24):
        clerk = "K1" if number % 2 else "K3"
        chain.add_all([suggestion(number, clerk), outcome(number, clerk, "bought" if number % 3 else "declined")])
    chain.flush()
    everything = report(chain)
    assert sum(row["shown"] for row in everything["clerks"]) == 24
    one_day = report(chain, start=date(2026, 1, 6), end=date(2026, 1, 6))
    assert sum(row["shown"] for row in one_day["clerks"]) == 8
    of_store = report(chain, store="002")
    assert [row["clerk_id"] for row in of_store["clerks"]] == ["K3"]
    whole = next(row for row in everything["clerks"] if row["clerk_id"] == "K3")
    assert of_store["clerks"][0] == whole
    assert of_store["funnel"] == everything["funnel"]


def test_cells_know_the_hour_on_the_stores_own_clock_and_the_crowd(chain: Session) -> None:
    for number in range(16):
        where = "002" if number >= 8 else "001"
        chain.add_all([suggestion(number, "K1", store_id=where), outcome(number, "K1", "bought")])
    chain.flush()
    cells = proposal_cells(chain)
    tokyo, paris = cells.filter(store_id="001"), cells.filter(store_id="002")
    # 12:00–19:00 in Tokyo is 4:00–11:00 in Paris.
    assert tokyo.group_by("band").agg(pl.col("shown").sum()).sort("band").rows() == [(4, 3), (5, 3), (6, 2)]
    assert paris.group_by("band").agg(pl.col("shown").sum()).sort("band").rows() == [(1, 2), (2, 3), (3, 3)]
    # Hours with 0–70 people, 40 on average of those with any: below 28 is quiet, above 52 is busy.
    assert tokyo.group_by("congestion").agg(pl.col("shown").sum()).sort("congestion").rows() == [(0, 3), (1, 3), (2, 2)]
    assert paris["congestion"].unique().to_list() == [-1]
    assert set(cells["category"]) == {"食品0", "食品1"}
    assert proposal_cells(chain, one_in=2)["shown"].sum() == 16  # all of them in even seconds
    assert proposal_cells(chain, start=date(2026, 1, 8)).is_empty()


def test_focus_merchandise_counts_first_purchases_of_the_campaign(chain: Session) -> None:
    for number in range(4):
        chain.add_all([suggestion(number, "K1"), outcome(number, "K1", "bought")])
        chain.add(
            Confirmation(
                suggestion_id=f"S{number}", receipt_id="R", line_no=1, sold_at=NOON, first_purchase=number != 2
            )
        )
    week = {"starts_on": date(2026, 1, 5), "ends_on": date(2026, 1, 11)}
    chain.add(ClerkTarget(campaign_id="A", name="新商品", category="食品1", stores="001|003", **week))
    chain.add(ClerkTarget(campaign_id="B", name="他店", category="食品0", stores="002", **week))
    chain.add(
        ClerkTarget(campaign_id="C", name="過去", product_id="P1", starts_on=date(2025, 1, 1), ends_on=date(2025, 2, 1))
    )
    chain.flush()
    row = report(chain)["clerks"][0]
    assert row["focus_first_purchases"] == 2  # S1 and S3 are P1, in 食品1
    assert row["first_purchases"] == 3


def test_handling_stands_beside_success(chain: Session) -> None:
    chain.add_all([suggestion(0, "K1"), outcome(0, "K1", "bought"), Survey(survey_id="V", name="一言", kind="one_tap")])
    for number, seconds in enumerate((30, 90)):
        chain.add(
            Visit(
                visit_id=f"V{number}",
                store_id="001",
                customer_id=f"C{number}",
                customer_ref=f"C{number}",
                source="scan",
                arrived_at=NOON,
                attended_at=NOON + timedelta(seconds=seconds),
                clerk_id="K1",
            )
        )
    answer = {"question": "touchpoint", "touchpoint": "store", "survey_id": "V", "customer_id": "C0", "store_id": "001"}
    for number, (hours, score) in enumerate(((2, 5), (70, 1))):
        at = NOON + timedelta(hours=hours)
        chain.add(Answer(response_id=f"A{number}", answered_at=at, score=score, scale_min=1, scale_max=5, **answer))
    for number, done in enumerate((NOON, None)):
        chain.add(
            FollowUp(
                follow_up_id=f"F{number}",
                customer_id="C0",
                store_id="001",
                clerk_id="K1",
                due_on=date(2026, 1, 9),
                created_at=NOON,
                done_at=done,
            )
        )
    chain.flush()
    row = report(chain)["clerks"][0]
    assert (row["services"], row["identified"]) == (1, 1)
    assert (row["attended"], row["seconds_to_attend"]) == (2, pytest.approx(60))
    assert (row["follow_ups"], row["kept"]) == (2, 1)
    assert (row["survey_n"], row["survey_score"]) == (1, pytest.approx(100))


def test_an_empty_chain_and_an_empty_store(chain: Session) -> None:
    empty = report(chain)
    assert empty["clerks"] == []
    assert empty["funnel"] | {"overdispersion": 1.0, "tau2": 0.0, "average": None} == empty["funnel"]
    chain.add_all([suggestion(0, "K1"), outcome(0, "K1", "bought")])
    chain.flush()
    assert report(chain, store="002")["clerks"] == []
    row = report(chain, store="001")["clerks"][0]
    assert (row["flag"], row["shown"]) == ("none", 1)
    assert row["high"] - row["low"] > 0.4


def test_what_was_held_out_was_not_shown(session: Session) -> None:
    session.add(Clerk(clerk_id="K0", store_id="001", name="店員"))
    session.add_all([suggestion(1, "K0", arm="treated"), suggestion(2, "K0", arm="holdout"), suggestion(3, "K0")])
    session.flush()
    assert [row["shown"] for row in report(session)["clerks"]] == [2]
