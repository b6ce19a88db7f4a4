from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.action_plans import move_action, open_action, proposals_from_drivers, report
from analytics.kpis import OBSERVED, Kpi
from analytics.period import Period
from journey.actions import ActionPlan
from journey.customers import Customer
from journey.errors import Conflict, InputError, NotFound
from journey.outcomes import Outcome
from journey.suggestions import Suggestion
from tests.analytics.cx_record import answer, blank, day, event, line, masters

ALWAYS = Period(None, None)


def plan(action_id: str, **known: Any) -> ActionPlan:
    row: dict[str, Any] = {
        "action_id": action_id,
        "finding": "お待たせしている",
        "owner": "Aoki",
        "unit": "店舗運営",
        "kpi": "csat:store",
        "target": 80.0,
        "starts_on": date(2026, 3, 6),
        "due_on": date(2026, 4, 30),
        "stores": ["001"],
        "created_at": day(0),
    }
    return blank(ActionPlan, **(row | known))


def answers_of_stores(session: Session, effect: float) -> None:
    """Five stores, 100 days, the first acted upon after 60 days (6 March)."""
    draw = np.random.default_rng(12)
    masters(session)
    for store in range(5):
        for i in range(150):
            at = float(draw.uniform(0, 100))
            score = 6 + 0.3 * store + draw.normal(0, 1.2) + (effect if store == 0 and at >= 60 else 0)
            session.add(
                answer(
                    f"A{store}-{i}", "touchpoint", float(np.clip(round(score), 1, 10)), day(at), touchpoint="store",
                    store_id=f"00{store + 1}", customer_id=f"C{store}-{i}",
                )
            )  # fmt: skip
    session.flush()


def test_a_planted_effect_and_a_planted_non_effect(session: Session) -> None:
    answers_of_stores(session, 1.5)
    open_action(session, plan("training"))
    open_action(session, plan("uniforms", stores=["003"], comparison_stores=["002", "004", "005"]))
    rows = {row["action_id"]: row for row in report(session)["actions"]}
    training, uniforms = rows["training"], rows["uniforms"]
    assert training["verdict"] == "improved"
    assert training["low"] < 1.5 * 100 / 9 < training["high"]
    assert training["baseline"] == pytest.approx(100 * 5 / 9, abs=5)
    assert training["placebo"]["low"] < 0 < training["placebo"]["high"]
    assert uniforms["verdict"] == "no_evidence"
    # Store 003 is acted upon as well, so that it is no comparison for 001.
    assert (training["compared"], uniforms["compared"]) == (3, 3)
    assert set(training) >= {
        "action_id",
        "owner",
        "unit",
        "kpi",
        "baseline",
        "target",
        "effect",
        "low",
        "high",
        "state",
    }


def test_customers_of_a_tier_against_those_of_the_other_tiers(session: Session) -> None:
    """A planted effect on gold members is found, one on silver that is none is not claimed."""
    draw = np.random.default_rng(5)
    masters(session)
    tiers = ("gold", "silver", "regular", "platinum", "bronze")
    for place, tier in enumerate(tiers):
        for n in range(60):
            name = f"{tier}{n}"
            session.add(blank(Customer, customer_id=name, tier=tier))
            session.add(line(name, "P", day(1)))
            for k in range(3):
                at = float(draw.uniform(0, 100))
                lifted = 1.5 if tier == "gold" and at >= 60 else 0.0
                score = float(np.clip(round(6 + 0.2 * place + draw.normal(0, 1.0) + lifted), 1, 10))
                session.add(answer(f"A{name}-{k}", "touchpoint", score, day(at), touchpoint="store", customer_id=name,
                                   store_id="001"))  # fmt: skip
    session.flush()
    open_action(session, plan("gold", stores=None, segment="tier:gold"))
    open_action(session, plan("silver", stores=None, segment="tier:silver"))
    rows = {row["action_id"]: row for row in report(session)["actions"]}
    assert rows["gold"]["verdict"] == "improved"
    assert rows["gold"]["low"] < 1.5 * 100 / 9 < rows["gold"]["high"]
    assert (rows["gold"]["treated"], rows["gold"]["compared"]) == (1, 4)
    assert rows["silver"]["verdict"] == "no_evidence"
    with pytest.raises(InputError, match="both be acted upon"):
        open_action(session, plan("both", segment="tier:gold"))


def test_before_the_start_it_is_too_early(session: Session) -> None:
    answers_of_stores(session, 1.5)
    open_action(session, plan("training"))
    row = report(session, now=day(58))["actions"][0]
    assert (row["verdict"], row["effect"], row["state"]) == ("too_early", None, "proposed")
    assert row["notes"]


def test_a_chain_wide_action_has_no_comparison(session: Session) -> None:
    answers_of_stores(session, 0.0)
    open_action(session, plan("all", stores=None, kpi="csat:store"))
    row = report(session)["actions"][0]
    assert row["comparison"] == "before_after"
    assert any("Nothing to compare" in note for note in row["notes"])


def test_reports_of_one_store_and_time(session: Session) -> None:
    masters(session)
    open_action(session, plan("one"))
    open_action(session, plan("other", stores=["002"], starts_on=date(2026, 4, 1)))
    assert [row["action_id"] for row in report(session)["actions"]] == ["other", "one"]
    assert [row["action_id"] for row in report(session, store="001")["actions"]] == ["one"]
    assert [row["action_id"] for row in report(session, start=date(2026, 4, 1))["actions"]] == ["other"]


def test_no_plans(session: Session) -> None:
    assert report(session) == {"actions": [], "notes": ["No action plans yet; open one from a finding."]}


def test_plans_are_checked_and_move_through_their_states(session: Session) -> None:
    with pytest.raises(InputError, match="owner"):
        open_action(session, plan("a", owner=" "))
    with pytest.raises(InputError, match="before the start"):
        open_action(session, plan("a", due_on=date(2026, 1, 1)))
    with pytest.raises(InputError, match="compared with"):
        open_action(session, plan("a", comparison_stores=["001", "002"]))
    open_action(session, plan("a"))
    with pytest.raises(Conflict, match="proposed cannot become done"):
        move_action(session, "a", "done")
    assert move_action(session, "a", "running").state == "running"
    assert move_action(session, "a", "done").state == "done"
    with pytest.raises(Conflict, match="closed"):
        move_action(session, "a", "running")
    with pytest.raises(NotFound):
        move_action(session, "nobody", "running")


def test_the_map_calls_for_plans() -> None:
    rows = [
        {"touchpoint": "store", "lmg": 0.4, "performance": 60.0, "field": "improve_first"},
        {"touchpoint": "web", "lmg": 0.1, "performance": 80.0, "field": "leave"},
    ]
    plans = proposals_from_drivers({"kgi": "overall", "r2": 0.5, "drivers": rows}, date(2026, 4, 1))
    assert [(p["kpi"], p["baseline"], p["target"], p["due_on"]) for p in plans] == [
        ("csat:store", 60.0, 70.0, date(2026, 6, 30))
    ]
    assert proposals_from_drivers({"kgi": "overall", "r2": None, "drivers": []}, date(2026, 4, 1)) == []


def observations(session: Session, name: str) -> pl.DataFrame:
    frame = Kpi.named(name).observations(session, ALWAYS)
    assert frame.schema == pl.Schema(OBSERVED)
    return frame.sort("unit", "at", "value")


def test_kpis_from_the_record(session: Session) -> None:
    masters(session, customers=1)
    shown = {"store_id": "001", "shown_at": day(2), "rank": 1}
    tapped = {"clerk_id": "K", "occurred_at": day(2)}
    session.add_all(
        [
            answer("A1", "nps", 10, day(0), store_id="001", comment="レジで待ちました"),
            answer("A1", "emotional_trust", 10, day(0), store_id="001"),
            answer("A1", "emotional_love", 1, day(0), store_id="001"),
            answer("A2", "nps", 3, day(1), store_id="001", comment="親切でした"),
            answer("A3", "nps", -99, day(1), store_id="001"),
            *(blank(Suggestion, suggestion_id=g, customer_id="C0", product_id="P", **shown) for g in ("G1", "G2")),
            blank(Outcome, outcome_id="O1", suggestion_id="G1", result="bought", **tapped),
            blank(Outcome, outcome_id="O2", suggestion_id="G2", result="not_proposed", **tapped),
            line("C0", "P", day(3), amount=300, receipt_id="R-1"),
            line(None, "P", day(3), amount=200),
            line("C0", "P", day(4), amount=100),
        ]
    )  # fmt: skip
    session.flush()
    assert observations(session, "nps")["value"].to_list() == [100.0, -100.0]
    assert observations(session, "nps@V").height == 2
    assert observations(session, "nps@other").is_empty()
    assert observations(session, "heart")["value"].to_list() == [50.0]
    assert observations(session, "theme:waiting")["value"].to_list() == [1.0, 0.0]
    assert observations(session, "acceptance")["value"].to_list() == [1.0]
    assert observations(session, "proposal")["value"].to_list() == [0.0, 1.0]
    assert np.exp(observations(session, "sales")["value"]).to_list() == pytest.approx([500.0, 100.0])
    assert np.exp(observations(session, "receipts")["value"]).to_list() == pytest.approx([2.0, 1.0])
    assert observations(session, "customers")["value"].to_list() == [0.0, 0.0]
    assert np.exp(observations(session, "spend")["value"]).to_list() == pytest.approx([300.0, 100.0])
    assert observations(session, "csat:web").is_empty()
    with pytest.raises(InputError):
        Kpi.named(" ")


def test_web_sessions_that_a_visit_follows(session: Session) -> None:
    masters(session, customers=2)
    for n, (customer, visit) in enumerate((("C0", 4), ("C0", None), ("C1", None), (None, None))):
        at = day(20 * n)
        session.add(event(f"V{n}", "view", at, customer_id=customer))
        if visit is not None:
            session.add(line(customer, "P", at + timedelta(days=visit)))
    session.add(line("C1", "P", day(100)))  # the record goes on
    session.flush()
    seen = observations(session, "web_to_store")
    assert seen["value"].to_list() == [1.0, 0.0, 0.0]
    assert seen["unit"].unique().to_list() == ["web"]
    assert Kpi.named("web_to_store").unit == "share"


def test_sales_effects_are_relative(session: Session) -> None:
    masters(session)
    draw = np.random.default_rng(3)
    for store, size in (("001", 1000), ("002", 100), ("003", 5000)):
        for n in range(112):
            lifted = 1.3 if store == "001" and n >= 60 else 1.0
            session.add(
                line(
                    None,
                    "P",
                    day(n),
                    store_id=store,
                    amount=round(size * lifted * float(np.exp(draw.normal(0, 0.1))), 2),
                )
            )
    session.flush()
    open_action(session, plan("a", kpi="sales"))
    row = report(session)["actions"][0]
    assert row["low"] < 0.3 < row["high"]
    assert row["effect_unit"] == "relative"
    assert row["verdict"] == "improved"
    assert row["baseline"] == pytest.approx(1000, rel=0.05)
    assert row["detectable"] == pytest.approx(
        np.exp(1.4294 * np.log((1 + row["high"]) / (1 + row["effect"]))) - 1, rel=1e-3
    )
