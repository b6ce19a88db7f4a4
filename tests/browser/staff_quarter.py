"""A quarter of proposals in the invented shop, so that staff and know-how pages have something to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics import know_how, staff_success
from journey.analysis_results import keep_result
from journey.coaching import write_entry
from journey.contests import contest_outcome
from journey.know_how_cards import CardText, make_card, publish_card
from journey.outcomes import Outcome
from journey.products import Product
from journey.suggestions import Suggestion
from tests.browser.shop import STORE

NOW = datetime.now(UTC)
PRACTICE = {
    "practice": "listen_first", "odds_ratio": 1.6, "low": 1.2, "high": 2.1, "p_value": 0.001, "q_value": 0.004,
    "n": 400, "without": 800, "clerks": 12, "rate_with": 0.4, "rate_without": 0.3, "extra_accepted": 8.25,
    "supported": True, "examples": [],
}  # fmt: skip


def busy_months(session: Session) -> None:
    """Three clerks with a quarter of proposals, one of whom got better; a goal, a contest, a card and a finding."""
    rng = np.random.default_rng(4)
    products = session.scalars(select(Product.product_id).order_by(Product.product_id)).all()
    for number in range(900):
        clerk = f"C{1 + number % 3}"
        at = NOW - timedelta(days=84 * (1 - number / 900), hours=2)
        name = f"busy-{number}"
        chance = 0.6 if clerk == "C1" and number > 450 else 0.3
        session.add(Suggestion(suggestion_id=name, customer_id=None, store_id=STORE, clerk_id=clerk, shown_at=at,
                               product_id=products[number % len(products)], rank=1, probability=0.3))  # fmt: skip
        session.add(Outcome(outcome_id=name, suggestion_id=name, clerk_id=clerk, occurred_at=at, received_at=at,
                            result="bought" if rng.random() < chance else "declined"))  # fmt: skip
    session.flush()
    goal = {"measure": "recorded_share", "target": 0.9, "due_on": NOW.date()}
    write_entry(
        session, clerk_id="C1", store_id=STORE, author="M1", author_name="店長", text="記録を忘れず", now=NOW, **goal
    )
    contest_outcome(session, "busy-0", clerk_id="C1", wish="not_mine", reason="休みの日でした", actor="a", now=NOW)
    make_card(session, "CARD", CardText("二つまで", "こちらの二つがおすすめです"), store_id=STORE, by="boss", now=NOW)
    publish_card(session, "CARD", now=NOW)
    staff_success.roll_up(session, now=NOW)
    know_how.roll_up(session, now=NOW)
    kept = know_how.findings(session)
    assert kept is not None
    document = {key: value for key, value in kept.items() if key != "computed_at"}
    practices = [PRACTICE, PRACTICE | {"practice": "few", "supported": False}]
    keep_result(session, "know_how", {}, document | {"practices": practices}, computed_at=NOW, seconds=0.1)
