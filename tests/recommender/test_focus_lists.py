"""Focus lists: whose first purchase could be won, what the product displaces, and who is left in peace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from journey.products import Product
from recommender.catalogue import EPOCH_DAY as EPOCH
from recommender.focus_lists import FocusProposal, focus_lists, running
from recommender.requests import Policy
from recommender.uplift_rows import UpliftFrames
from tests.recommender.counter import NOW, Counter

MOMENT = pl.Datetime("us", "UTC")
VISITS = [("A", "S1", "P0", 40.0), ("A", "S1", "P0", 10.0), ("A", "S2", "P2", 5.0), ("B", "S2", "P3", 7.0)]


def record(
    visits: list[tuple[str, str, str, float]] | None = None, declined: list[tuple[str, str, float]] | None = None
) -> UpliftFrames:
    """Visits are customer, store, product, days ago; declined are customer, product, days ago."""
    refused = declined or []
    ids = [f"g{n}" for n in range(len(refused))]
    lines = [(c, s, p, NOW - timedelta(days=ago), 1.0) for c, s, p, ago in visits or VISITS]
    return UpliftFrames(
        pl.DataFrame(
            {"suggestion_id": ids, "customer_id": [c for c, _, _ in refused], "product_id": [p for _, p, _ in refused],
             "shown_at": [NOW - timedelta(days=ago) for _, _, ago in refused], "arm": ["treated"] * len(ids)},
            schema={"suggestion_id": pl.String, "customer_id": pl.String, "product_id": pl.String, "shown_at": MOMENT,
                    "arm": pl.String},
        ),
        pl.DataFrame({"suggestion_id": ids, "result": ["declined"] * len(ids)},
                     schema={"suggestion_id": pl.String, "result": pl.String}),
        pl.DataFrame(lines, schema={"customer_id": pl.String, "store_id": pl.String, "product_id": pl.String,
                                    "sold_at": MOMENT, "quantity": pl.Float64}, orient="row"),
        pl.DataFrame(schema={"customer_id": pl.String, "product_id": pl.String, "occurred_at": MOMENT,
                             "kind": pl.String}),
        pl.DataFrame({"product_id": [f"P{n}" for n in range(10)],
                      "category": [["飲料 > お茶", "飲料 > 水", "菓子 > 米菓", "菓子 > 飴", "日用品 > 洗剤"][n // 2]
                                   for n in range(10)],
                      "price": [100.0] * 10, "name": [None] * 10, "brand": [None] * 10},
                     schema_overrides={"name": pl.String, "brand": pl.String}),
    )  # fmt: skip


def listed(session: Session, focus: str = "P8", stores: str | None = None, **more: Any) -> dict[str, FocusProposal]:
    """Customer → proposal of a campaign for one product; everybody may be profiled unless told otherwise."""
    counter = more.pop("counter", None) or Counter(session)
    counter.campaign(focus, stores)
    loaded = counter.loaded()
    day = (NOW.date() - EPOCH).days
    (campaign,) = running(loaded.catalogue, day)
    asked: dict[str, Any] = {
        "policy": Policy(), "usable": {"A", "B", "ゑ🍙"}, "sold_out": {}, "dismissed": set(), "day": day, "now": NOW,
    } | more  # fmt: skip
    frames = asked.pop("frames", None) or record()
    found = focus_lists(loaded, frames, campaign, None, **asked)
    return {each.customer_id: each for proposals in found.values() for each in proposals}


def test_a_first_purchase_is_proposed_in_the_store_where_the_customer_comes(session: Session) -> None:
    found = listed(session)
    assert {customer: each.store_id for customer, each in found.items()} == {"A": "S1", "B": "S2"}
    ann = found["A"]
    assert (ann.product_id, ann.proposed, ann.evidence) == ("P8", 0.05, {"ground": "bought_with", "name": "商品1"})
    assert ann.displaced == "P6"  # the fifth by worth: .25·2, .40, .20·2, .30, then .08·2
    assert found["B"].evidence["ground"] == "focus"


def test_displacing_something_better_is_told(session: Session) -> None:
    counter = Counter(session)
    counter.change(Product, "P8", price=10)
    found = listed(session, counter=counter)["A"]
    assert (found.gain, round(found.lost, 1)) == (0.5, round(0.08 * 106, 1))
    assert found.displaces_better


def test_only_first_purchases_count(session: Session) -> None:
    assert set(listed(session, focus="P3")) == {"A"}  # B bought it


def test_consent_hold_out_refusals_stock_and_stores_are_honoured(session: Session) -> None:
    counter = Counter(session)
    counter.campaign("P8")
    loaded = counter.loaded()
    day = (NOW.date() - EPOCH).days
    (campaign,) = running(loaded.catalogue, day)

    def who(frames: UpliftFrames | None = None, **more: Any) -> set[str]:
        asked: dict[str, Any] = {
            "policy": Policy(), "usable": {"A", "B"}, "sold_out": {}, "dismissed": set(), "day": day, "now": NOW,
        } | more  # fmt: skip
        found = focus_lists(loaded, frames or record(), campaign, None, **asked)
        return {each.customer_id for proposals in found.values() for each in proposals}

    assert who() == {"A", "B"}
    assert who(usable={"B"}) == {"B"}
    assert who(policy=Policy(holdout=1.0)) == set()
    assert who(dismissed={("A", "P8")}) == {"B"}
    assert who(sold_out={"S2": {"P8"}}) == {"A"}
    assert who(record(declined=[("B", "P8", 3.0)])) == {"A"}
    assert who(record(declined=[("B", "P8", 40.0)])) == {"A", "B"}
    assert who(record([("A", "S1", "P0", 100.0), *VISITS[3:]])) == {"B"}  # A has not come for a season


def test_a_campaign_of_some_stores_is_listed_there_only(session: Session) -> None:
    assert set(listed(session, stores="S2")) == {"B"}
