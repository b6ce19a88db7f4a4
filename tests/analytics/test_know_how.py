"""Know-how: odds ratios recovered on invented services, false discoveries, the effect of a card, and the report."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import special
from sqlalchemy.orm import Session

from analytics.know_how import card_effect, fit_clustered, practice_cells, practice_odds, report
from analytics.rates import benjamini_hochberg
from journey.outcomes import Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Store
from journey.suggestions import Suggestion

NOON = datetime(2026, 1, 5, 3, tzinfo=UTC)


def services(
    seed: int, *, listen: float = 1.6, follows: float = 1.0, clerks: int = 40, each: int = 150
) -> pl.DataFrame:
    """Proposals with these odds ratios; good clerks listen more often, and gold customers buy more."""
    rng = np.random.default_rng(seed)
    skill = rng.normal(0, 0.4, clerks)
    clerk = np.repeat(np.arange(clerks), each)
    gold = rng.random(clerk.size) < 0.4
    habit = special.expit(rng.normal(0, 1, clerks) + skill)
    # Clerks listen more to gold customers: without the case mix that looks like an effect of listening.
    listens = rng.random(clerk.size) < np.clip(habit[clerk] + 0.2 * gold, 0, 1)
    in_order = rng.random(clerk.size) < 0.5
    logit = -1.4 + skill[clerk] + 0.9 * gold + np.log(listen) * listens + np.log(follows) * in_order
    return pl.DataFrame(
        {
            "clerk_id": np.char.add("K", clerk.astype(str)).tolist(),
            "store_id": (clerk % 4).astype(str).tolist(),
            "tier": np.where(gold, "gold", "none").tolist(),
            "listen_first": listens.astype(int),
            "follows_rank": in_order.astype(int),
            "proposed": np.ones(clerk.size, dtype=int),
            "accepted": (rng.random(clerk.size) < special.expit(logit)).astype(int),
        }
    )


def test_odds_ratios_are_recovered_beside_skill_and_case_mix() -> None:
    found = []
    for seed in range(12):
        rows = {row["practice"]: row for row in practice_odds(services(seed))}
        found.append((rows["listen_first"]["odds_ratio"], rows["follows_rank"]["odds_ratio"],
                      rows["listen_first"]["low"] <= 1.6 <= rows["listen_first"]["high"],
                      rows["listen_first"]["supported"], rows["follows_rank"]["supported"]))  # fmt: skip
    listen, follows, covered, supported, false_alarm = (np.array(values) for values in zip(*found, strict=True))
    assert np.exp(np.log(listen).mean()) == pytest.approx(1.6, rel=0.08)
    assert np.exp(np.log(follows).mean()) == pytest.approx(1.0, rel=0.05)
    assert covered.mean() >= 0.8
    assert supported.all()
    assert false_alarm.sum() <= 1


def test_a_small_effect_is_not_supported_however_certain() -> None:
    rows = practice_odds(services(1, listen=1.6), min_odds_ratio=3)
    assert not any(row["supported"] for row in rows)


def test_harm_is_know_how_too() -> None:
    (first, _) = practice_odds(services(2, listen=0.5))
    assert (first["practice"], first["supported"]) == ("listen_first", True)
    assert first["high"] < 1
    assert first["extra_accepted"] < 0


def test_errors_are_clustered_by_clerk() -> None:
    # A habit that is all or nothing per clerk and has no effect: the clerks' differences must widen the interval.
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(60):
        clerk = np.repeat(np.arange(60), 100)
        habit = (rng.random(60) < 0.5).astype(float)[clerk]
        accepted = (rng.random(clerk.size) < special.expit(-1 + rng.normal(0, 0.6, 60)[clerk])).astype(float)
        X = np.column_stack([np.ones(clerk.size), habit])
        fit = fit_clustered(X, accepted, np.ones(clerk.size), clerk)
        alarms += bool(abs(fit.coefficients[1]) > 2.0 * fit.standard_errors[1])
    assert alarms <= 7  # a plain standard error alarms in about half of them


def test_false_discovery_rate_by_hand() -> None:
    q = benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    assert q.tolist() == pytest.approx([0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert benjamini_hochberg([]).size == 0


def card_days(
    seed: int, effect: float, staggered: bool = True, clerks: int = 40
) -> tuple[pl.DataFrame, dict[str, date]]:
    rng = np.random.default_rng(seed)
    first = date(2026, 1, 5)
    skill = rng.normal(0, 0.3, clerks)
    adopted = {f"K{i:02d}": first + timedelta(days=35 + (7 * (i % 2) if staggered else 0)) for i in range(20)}
    rows = []
    for day in range(84):
        season = 0.3 * np.sin(day / 12)
        for i in range(clerks):
            name, today = f"K{i:02d}", first + timedelta(days=day)
            seen = name in adopted and today > adopted[name]
            p = special.expit(-1.2 + skill[i] + season + np.log(effect) * seen)
            rows.append((name, today, 6, int(rng.binomial(6, p))))
    return pl.DataFrame(rows, schema=["clerk_id", "day", "proposed", "accepted"], orient="row"), adopted


def test_the_effect_of_a_card_is_recovered_within_its_interval() -> None:
    found = [card_effect(*card_days(seed, 1.35)) for seed in range(20)]
    assert np.mean([f.low <= 1.35 <= f.high for f in found]) >= 0.85
    assert np.exp(np.mean([np.log(f.odds_ratio) for f in found])) == pytest.approx(1.35, rel=0.06)
    assert np.mean([f.verdict == "helps" for f in found]) > 0.8
    assert np.exp(np.mean([np.log(f.before) for f in found])) == pytest.approx(1, abs=0.08)


def test_a_card_without_effect_is_not_praised() -> None:
    found = [card_effect(*card_days(seed, 1.0)) for seed in range(20)]
    assert sum(f.verdict != "no_effect_seen" for f in found) <= 3


def test_a_large_chain_is_compared_by_a_draw_that_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    days, adopted = card_days(5, 1.5, clerks=240)
    drawn = card_effect(days, adopted)
    assert card_effect(days.sample(fraction=1.0, shuffle=True, seed=1), adopted) == drawn
    monkeypatch.setattr(sys.modules[card_effect.__module__], "COMPARED_PER_ADOPTER", 1000)
    whole = card_effect(days, adopted)
    assert drawn.compared < whole.compared == 220
    assert np.log(drawn.odds_ratio) == pytest.approx(np.log(whole.odds_ratio), abs=0.03)
    assert np.log(drawn.high / drawn.low) < 1.15 * np.log(whole.high / whole.low)


def test_nobody_to_compare_with_is_said() -> None:
    days, adopted = card_days(0, 1.3, staggered=False)
    only = days.filter(pl.col("clerk_id").is_in(list(adopted)))
    assert card_effect(only, adopted).verdict == "too_thin"
    assert card_effect(days, {}).verdict == "too_thin"
    assert card_effect(days.clear(), adopted).verdict == "too_thin"


def service(session: Session, number: int, taps: list[tuple[int, str, int, str]], clerk: str = "K1") -> None:
    """One service; each tap is (rank, product, seconds after opening, result)."""
    at = NOON + timedelta(hours=number)
    for rank, product, seconds, result in taps:
        name = f"{number}-{rank}"
        session.add(
            Suggestion(
                suggestion_id=name, customer_id="C1", store_id="001", clerk_id=clerk, shown_at=at, product_id=product,
                rank=rank, reason="web_view" if rank == 1 else None,
                evidence={"ground": "popular"} if rank == 2 else None,
            )
        )  # fmt: skip
        session.add(
            Outcome(
                outcome_id=name, suggestion_id=name, clerk_id=clerk, occurred_at=at + timedelta(seconds=seconds),
                result=result,
            )
        )  # fmt: skip


def test_practices_are_read_off_services(session: Session) -> None:
    session.add(Store(store_id="001", name="本店"))
    session.add_all(Product(product_id=f"P{i}", name=f"商品{i}", category="食品 > 菓子") for i in range(4))
    session.add(
        PosLine(
            receipt_id="R", line_no=1, store_id="001", sold_at=NOON - timedelta(days=3), local_day=0,
            customer_id="C1", product_id="P2", quantity=1, amount=1,
        )
    )  # fmt: skip
    # Listened, then the familiar P2 (rank 2) before the new P1 (rank 1): two proposals, not in the order shown.
    service(session, 0, [(1, "P1", 90, "bought"), (2, "P2", 70, "declined"), (3, "P3", 100, "not_proposed")])
    # At once, three new products in the order shown.
    service(session, 1, [(1, "P0", 5, "declined"), (2, "P1", 20, "declined"), (3, "P3", 40, "bought")], clerk="K2")
    session.flush()
    cells = practice_cells(session).sort("clerk_id", "rank")
    assert cells["proposed"].sum() == 5
    assert cells["category"].unique().to_list() == ["食品"]
    k1, k2 = cells.filter(clerk_id="K1"), cells.filter(clerk_id="K2")
    assert k1["listen_first"].to_list() == [1, 1]
    assert k1["few"].to_list() == [1, 1]
    assert k1["familiar"].to_list() == [0, 1]
    assert k1["familiar_first"].to_list() == [1, 0]
    assert k1["follows_rank"].to_list() == [0, 0]
    assert k1["reason"].to_list() == ["web_view", "popular"]
    assert k1["example"].to_list() == ["0-1", None]
    assert k2["listen_first"].to_list() == [0, 0, 0]
    assert k2["few"].to_list() == [0, 0, 0]
    assert k2["familiar_first"].to_list() == [0, 0, 0]
    assert k2["follows_rank"].to_list() == [1, 1, 1]
    assert k2["accepted"].to_list() == [0, 0, 1]


def test_the_report_with_much_little_and_nothing(session: Session) -> None:
    assert report(session)["practices"] == []
    rng = np.random.default_rng(1)
    session.add(Store(store_id="001", name="本店"))
    service(session, 9999, [(1, "P1", 90, "bought")])
    session.flush()
    assert report(session) == {"practices": [], "proposals": 1, "clerks": 1, "min_odds_ratio": 1.1}
    for number in range(500):
        waits = int(rng.integers(0, 2))
        result = "bought" if rng.random() < (0.6 if waits else 0.3) else "declined"
        service(session, number, [(1, "P1", 80 if waits else 10, result)], clerk=f"K{number % 6}")
    session.flush()
    (row,) = [r for r in report(session, store="001")["practices"] if r["practice"] == "listen_first"]
    assert row["low"] < special.expit(0.405) / special.expit(-0.847) * 1.7
    assert row["low"] > 1.3
    assert row["supported"]
    assert row["n"] + row["without"] == 501
    assert 1 <= len(row["examples"]) <= 3
    assert set(row) >= {"practice", "odds_ratio", "low", "high", "q_value", "n"}
