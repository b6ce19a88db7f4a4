"""Staffing: the judgement of slots, rosters, the report on both databases, and a real supermarket end to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.forecast import fit_arrivals
from analytics.forecast.model import slot_matrix
from analytics.queues import DEFAULT_TARGET, required_clerks
from analytics.rates import Floats
from analytics.staffing import judge, report
from analytics.staffing.arrivals import SLOT_MICROS, combine, spread_buckets
from analytics.staffing.assessment import needed_clerks
from analytics.staffing.conversion import conversion_by_ratio
from analytics.staffing.judgement import rate_posterior
from analytics.staffing.live import live_board
from analytics.staffing.recurring import recurring
from analytics.staffing.report import judged_slots, local_slots
from analytics.staffing.roster import on_floor
from analytics.staffing.service_times import ServiceLaw, laws_from
from journey.outcomes import Outcome
from journey.purchases import PosLine
from journey.rosters import Shift
from journey.stores import Clerk, Store
from journey.suggestions import Suggestion
from journey.traffic import Traffic
from journey.visits import Visit

OPENING = datetime(2026, 1, 5, 1, tzinfo=UTC)  # Monday 10:00 in Tokyo
SLOT_KEYS = {
    *("store_id", "starts_at", "minutes", "arrivals", "service_seconds", "rostered", "needed", "p_short", "judgement"),
    *("lost_proposals_low", "lost_proposals_high"),
}
LAW = ServiceLaw(seconds=230, cv2=1.46, services=400, share=0.4, patience=240, proposals=2, accepted=0.3, price=900)


def test_the_judgement_follows_the_roster() -> None:
    count = np.full(5, 30.0)
    shape, rate = rate_posterior(count, count, np.full(5, 200.0))
    needed = required_clerks(30 * 0.4, 15, 230, service_cv2=1.46).clerks
    rostered = np.array([0.0, needed - 2.0, needed + 1.0, needed + 5.0, np.nan])
    floor = judge(shape, rate, rostered, LAW)
    assert floor.needed.tolist() == [needed] * 5
    assert floor.judgement == ("short", "short", "enough", "over", "unknown")
    assert np.all(np.diff(floor.p_short[:4]) < 0)
    assert np.isnan(floor.p_short[4])
    assert np.all(floor.lost_low[:4] <= floor.lost_high[:4])
    assert floor.lost_high[3] == 0
    assert 30 * 0.4 * 0.5 < floor.lost_low[0] <= floor.lost_high[0] < 30 * 0.4 * 2  # without clerks all are lost


def test_one_odd_count_does_not_shout() -> None:
    shape, rate = rate_posterior(np.array([14.0]), np.array([5.0]), np.array([50.0]))
    assert 5 < float(shape[0] / rate[0]) < 7
    shape, rate = rate_posterior(np.array([14.0]), np.array([5.0]), np.array([0.5]))
    assert 11 < float(shape[0] / rate[0]) < 14


def test_the_probability_of_short_is_calibrated() -> None:
    # True rates are drawn from the very prior; a slot called short with probability p must be short p of the time.
    rng = np.random.default_rng(8)
    usual, k = rng.uniform(8, 60, 4000), 8.0
    true = rng.gamma(k, usual / k)
    shape, rate = rate_posterior(rng.poisson(true).astype(float), usual, np.full(4000, k))
    law = ServiceLaw(seconds=230, cv2=1.46, services=10**6, share=0.4)
    rostered = rng.integers(1, 9, 4000).astype(float)
    floor = judge(shape, rate, rostered, law)
    truly = np.array([required_clerks(t * 0.4, 15, 230, service_cv2=1.46).clerks for t in true]) > rostered
    for low in (0.05, 0.3, 0.5, 0.7):
        band = (floor.p_short > low) & (floor.p_short <= low + 0.2)
        assert truly[band].mean() == pytest.approx(floor.p_short[band].mean(), abs=0.1)


def test_breaks_and_other_duties_take_clerks_off_the_floor() -> None:
    at = 4 * SLOT_MICROS
    rows = [
        ("K1", at, at + 4 * SLOT_MICROS, "floor"),
        ("K1", at + SLOT_MICROS, at + 2 * SLOT_MICROS, "break"),
        ("K2", at, at + SLOT_MICROS // 2, "floor"),
        ("K2", at + SLOT_MICROS // 2, at + SLOT_MICROS, "register"),
        ("K3", at + SLOT_MICROS, at, "floor"),
    ]
    shifts = pl.DataFrame(rows, schema=["clerk_id", "starts_at", "ends_at", "duty"], orient="row")
    floor = on_floor(shifts.with_columns(store_id=pl.lit("001")))
    assert floor["slot_at"].to_list() == [at + i * SLOT_MICROS for i in range(4)]
    assert floor["rostered"].to_list() == [1.5, 0.0, 1.0, 1.0]


def test_buckets_of_an_hour_are_spread_and_of_five_minutes_added() -> None:
    hour = {"store_id": "A", "starts_at": 0, "minutes": 60, "entered": 10}
    fives = [{"store_id": "B", "starts_at": i * 300_000_000, "minutes": 5, "entered": i} for i in range(6)]
    slots = spread_buckets(pl.DataFrame([hour, *fives]))
    assert slots.filter(store_id="A")["entered"].to_list() == [2.5] * 4
    assert slots.filter(store_id="B")["entered"].to_list() == [0 + 1 + 2, 3 + 4 + 5]


def test_a_store_without_counters_takes_receipts_over_conversion() -> None:
    door = pl.DataFrame({"store_id": ["A"], "slot_at": [0], "entered": [20.0]})
    till = pl.DataFrame(
        {"store_id": ["A", "B"], "slot_at": [0, 0], "receipts": [10, 7], "identified": [5, 7]},
    )
    came = combine(door, till)
    assert came.filter(store_id="B").select("entered", "source").row(0) == (14.0, "receipts")


def test_service_is_measured_and_blended_with_the_chain() -> None:
    tablet = pl.DataFrame(
        {
            "store_id": ["A", "B"],
            "encounters": [400, 1],
            "timed": [400, 1],
            "seconds": [400 * 200.0, 900.0],
            "squares": [400 * 200.0**2 * 2.4, 900.0**2],
            "proposals": [800, 2],
            "accepted": [200, 0],
            "price": [200_000.0, 0.0],
        }
    )
    visits = pl.DataFrame(
        schema=dict.fromkeys(("timed", "seconds", "squares", "gave_up", "waited"), pl.Float64) | {"store_id": pl.String}
    )
    people = pl.DataFrame(
        {"store_id": ["A", "B"], "entered": [2000.0, 100.0], "receipts": [1000, 50], "identified": [500, 25]}
    )
    laws = laws_from(tablet, visits, people)
    assert laws["A"].seconds == pytest.approx(200, rel=0.01)
    assert laws["A"].cv2 == pytest.approx(1.4, rel=0.03)
    assert laws["A"].share == pytest.approx(400 / (2000 * 0.5))
    assert (laws["A"].proposals, laws["A"].accepted, laws["A"].price) == (2, 0.25, 1000)
    assert 200 < laws["B"].seconds < 260
    assert laws["B"].relative_error > laws["A"].relative_error


def test_recurring_shortage_names_hour_number_and_source() -> None:
    rows = [
        {
            "store_id": "A",
            "day": date(2026, 1, 5) + timedelta(weeks=week),
            "slot": hour * 4 + quarter,
            "rostered": 2.0,
            "needed": 4 if hour == 17 else 1,
            "judgement": "short" if hour == 17 else "over",
            "lost_proposals_low": 1.0 if hour == 17 else 0.0,
            "lost_proposals_high": 2.0 if hour == 17 else 0.0,
        }
        for week in range(3)
        for hour in (10, 17)
        for quarter in range(4)
    ]
    (plan,) = recurring(pl.DataFrame(rows))
    assert (plan["weekday"], plan["hour"], plan["extra"], plan["from_hour"]) == (0, 17, 2, 10)
    assert (plan["lost_proposals_low"], plan["lost_proposals_high"]) == (4, 8)


def week_of_traffic(session: Session, days: int = 21) -> None:
    session.add(Store(store_id="001", name="本店"))
    session.add(Clerk(clerk_id="K1", store_id="001", name="店員"))
    for day in range(days):
        opening = OPENING + timedelta(days=day)
        session.add(Shift(clerk_id="K1", store_id="001", starts_at=opening, ends_at=opening + timedelta(hours=8)))
        for hour in range(10):
            at = opening + timedelta(hours=hour)
            entered = 100 if hour == 7 else 12
            session.add(Traffic(store_id="001", starts_at=at, minutes=60, entered=entered))
            for number in range(2):
                name = f"{day}-{hour}-{number}"
                session.add(
                    Suggestion(
                        suggestion_id=name, customer_id=name, store_id="001", clerk_id="K1", shown_at=at,
                        product_id="P", rank=1,
                    )
                )  # fmt: skip
                session.add(
                    Outcome(
                        outcome_id=name, suggestion_id=name, clerk_id="K1", result="bought",
                        occurred_at=at + timedelta(seconds=150 + 100 * number),
                    )
                )  # fmt: skip
    session.flush()


def test_the_report(session: Session) -> None:
    week_of_traffic(session)
    found = report(session)
    slots = pl.DataFrame(found["slots"])
    assert set(slots.columns) >= SLOT_KEYS
    assert slots.height == 21 * 10 * 4
    assert slots["starts_at"][0] == "2026-01-05T10:00:00+09:00"
    assert slots["arrivals"].sum() == pytest.approx(21 * (9 * 12 + 100))
    assert set(slots["judgement"]) <= {"short", "enough", "over"}
    assert slots["service_seconds"][0] == pytest.approx(200, rel=0.02)
    busy = slots.filter(pl.col("starts_at").str.contains("T17:"))
    assert (busy["judgement"] == "short").mean() > 0.9
    assert (slots.filter(pl.col("starts_at").str.contains("T12:"))["judgement"] == "short").mean() < 0.1
    for row in busy.head(20).to_dicts():
        by_hand = required_clerks(
            row["expected_arrivals"] * row["share_served"], 15, row["service_seconds"], service_cv2=1.0
        )
        assert abs(row["needed"] - by_hand.clerks) <= 1
        assert 0 <= row["lost_proposals_low"] <= row["lost_proposals_high"]
    unstaffed = slots.filter(pl.col("starts_at").str.contains("T19:"))
    assert (unstaffed["rostered"] == 0).all()
    forecast = pl.DataFrame(found["forecast"])
    assert forecast.height == 14 * 40
    assert forecast["starts_at"][0] == "2026-01-26T10:00:00+09:00"
    assert (forecast["low"] <= forecast["arrivals"]).all()
    assert (forecast["arrivals"] <= forecast["high"]).all()
    assert any(row["hour"] == 17 for row in found["plan"])


def test_a_store_that_knows_its_share_may_say_so(session: Session) -> None:
    week_of_traffic(session)
    few, all_ = (report(session, share_served=share)["slots"] for share in (0.05, 1.0))
    assert sum(row["needed"] for row in few) < sum(row["needed"] for row in all_)
    assert {row["share_served"] for row in all_} == {1.0}


def test_an_open_shop_is_not_left_alone_however_few_want_service() -> None:
    few = replace(LAW, share=0.05)
    shape, rate = rate_posterior(np.full(2, 0.6), np.full(2, 0.6), np.array([5.0, 5.0]))
    floor = judge(shape, rate, np.array([1.0, 3.0]), few)
    assert floor.needed.tolist() == [1, 1]
    assert floor.judgement == ("enough", "over")
    assert needed_clerks(np.array([0.6, 0.1]), few, DEFAULT_TARGET).tolist() == [1, 0]


def test_nobody_is_kept_for_a_customer_a_day() -> None:
    shape, rate = rate_posterior(np.zeros(1), np.array([0.02]), np.array([5.0]))
    floor = judge(shape, rate, np.zeros(1), LAW)
    assert (floor.needed[0], floor.judgement) == (0, ("enough",))
    assert judge(shape, rate, np.ones(1), LAW).judgement == ("over",)


def test_dates_and_stores_choose_slots_not_what_is_usual(session: Session) -> None:
    week_of_traffic(session)
    day = date(2026, 1, 20)
    whole = [row for row in report(session, end=day)["slots"] if row["starts_at"].startswith("2026-01-20")]
    assert report(session, store="001", start=day, end=day)["slots"] == whole
    assert report(session, store="nowhere")["slots"] == []


def test_without_counters_shifts_or_anything(session: Session) -> None:
    empty = report(session)
    assert (empty["slots"], empty["forecast"], empty["plan"]) == ([], [], [])
    session.add(Store(store_id="002", name="Lisboa", timezone="Europe/Lisbon"))
    # Clocks go forward in Lisbon on 29 March 2026.
    start = datetime(2026, 3, 27, 10, tzinfo=UTC)
    for number in range(4 * 24):
        session.add(
            PosLine(
                receipt_id=f"R{number}", line_no=1, store_id="002", sold_at=start + timedelta(hours=number),
                local_day=0, product_id="P", quantity=1, amount=1,
            )
        )  # fmt: skip
    session.flush()
    found = report(session)
    assert len(found["slots"]) == 96
    assert {row["judgement"] for row in found["slots"]} == {"unknown"}
    assert {row["rostered"] for row in found["slots"]} == {None}
    assert found["forecast"]
    assert found["accuracy"] == []


def quiet_hours(conversion: Callable[[Floats], Floats], seed: int = 4) -> pl.DataFrame:
    """Twenty weeks of a small store: three to twelve come in an hour, one or two are on the floor."""
    rng = np.random.default_rng(seed)
    days = [date(2026, 1, 5) + timedelta(days=n) for n in range(140)]
    rows = len(days) * 10
    hour = np.tile(np.arange(10), len(days))
    usual, clerks = 3.0 + hour, rng.integers(1, 3, rows)
    came = rng.poisson(usual)
    return pl.DataFrame(
        {
            "store_id": ["001"] * rows, "day": [day for day in days for _ in range(10)], "slot": hour * 4 + 36,
            "arrivals": came.astype(float), "receipts": rng.binomial(came, conversion(usual / clerks)),
            "rostered": clerks.astype(float),
        }
    )  # fmt: skip


def test_hours_in_which_few_happened_to_come_do_not_seem_to_sell_better() -> None:
    held, firsts = 0, []
    for seed in range(20):
        bands = conversion_by_ratio(quiet_hours(lambda ratio: np.full(ratio.size, 0.7), seed))
        held += sum(band["low"] <= 0.7 <= band["high"] for band in bands)
        firsts.append(bands[0]["conversion"])
    assert held >= 0.9 * 20 * 5
    assert np.mean(firsts) == pytest.approx(0.7, abs=0.01)
    fall = conversion_by_ratio(quiet_hours(lambda ratio: 0.8 - 0.03 * ratio))
    assert fall[0]["low"] > fall[-1]["high"]
    assert conversion_by_ratio(quiet_hours(lambda ratio: np.full(ratio.size, 0.7)).head(70)) == []  # one week


@pytest.mark.real_data
def test_a_real_supermarket_end_to_end(shared_data: Path) -> None:
    folder = shared_data / "staffing"
    took = pl.read_csv(folder / "customer-arrival-input-file-store2.csv", try_parse_dates=True)
    came = pl.read_csv(folder / "cashier-arrival-input-file-store2.csv", try_parse_dates=True)
    door = spread_buckets(
        took.select(
            store_id=pl.lit("2"),
            starts_at=pl.col("timestamp").dt.epoch("us"),
            minutes=pl.lit(60),
            entered="customer-transaction-count",
        )
    )
    # Each hour says how many cashiers arrive; a shift is taken to last eight hours.
    begins = came.filter(pl.col("number-of-cashiers") > 0).select(
        at=pl.col("timestamp").dt.epoch("us"), heads="number-of-cashiers"
    )
    shifts = (
        begins.with_columns(head=pl.int_ranges(pl.col("heads")))
        .explode("head")
        .select(
            clerk_id=pl.format("{}/{}", "at", "head"),
            store_id=pl.lit("2"),
            starts_at="at",
            ends_at=pl.col("at") + 8 * 4 * SLOT_MICROS,
            duty=pl.lit("floor"),
        )
    )
    till = pl.DataFrame(
        schema={"store_id": pl.String, "slot_at": pl.Int64, "receipts": pl.Int64, "identified": pl.Int64}
    )
    frame = local_slots(combine(door, till), on_floor(shifts), "UTC")
    days, matrix = slot_matrix(frame)
    assert matrix[np.isfinite(matrix)].sum() == pytest.approx(took["customer-transaction-count"].sum())
    # A minute and a quarter per basket at the till, as variable as a real service desk.
    law = ServiceLaw(seconds=75, cv2=1.21**2, services=1000)
    judged = judged_slots(frame, fit_arrivals(days, matrix), law, DEFAULT_TARGET)
    assert judged.height == 4 * took.height
    assert judged.select(pl.col("needed", "p_short", "lost_proposals_high").is_null().any()).row(0) == (False,) * 3
    open_hours = judged.filter(pl.col("arrivals") > 40)
    assert open_hours["needed"].min() >= 3
    load = (open_hours["arrivals"] * 75 / 900).to_numpy()
    assert np.all(open_hours["needed"].to_numpy() >= np.floor(load * 0.8))
    assert set(judged["judgement"]) <= {"short", "enough", "over"}


def test_the_live_board_says_whom_to_call(session: Session) -> None:
    now = OPENING + timedelta(hours=5)
    shift = {"store_id": "001", "starts_at": OPENING, "ends_at": OPENING + timedelta(hours=8)}
    unknown = live_board(session, "001", now, LAW, 5.0)
    assert (unknown["on_floor"], unknown["judgement"], unknown["step"]) == ([], "unknown", "none")
    assert (unknown["p_short"], unknown["source"], unknown["floor_known_from"]) == (None, "usual", "nothing")
    session.add(Shift(clerk_id="K0", duty="floor", **shift | {"ends_at": now}))
    session.flush()
    quiet = live_board(session, "001", now, LAW, 5.0)
    assert (quiet["on_floor"], quiet["judgement"], quiet["step"]) == ([], "short", "open_counter")
    session.add(Shift(clerk_id="K1", duty="floor", **shift))
    session.add(Shift(clerk_id="K2", duty="back", **shift))
    for number in range(2):
        at = now - timedelta(minutes=30 - 15 * number)
        session.add(Traffic(store_id="001", starts_at=at, minutes=15, entered=40))
    session.add(
        Visit(visit_id="V", store_id="001", customer_id="C", customer_ref="C", source="checkin",
              arrived_at=now - timedelta(minutes=4))
    )  # fmt: skip
    session.flush()
    busy = live_board(session, "001", now, LAW, 5.0)
    assert (busy["on_floor"], busy["in_back"], busy["waiting"]) == (["K1"], ["K2"], 1)
    assert 15 < busy["arrivals_per_quarter"] < 40
    assert (busy["judgement"], busy["step"], busy["who"]) == ("short", "call_to_floor", "K2")
    unforeseen = live_board(session, "001", now, LAW, 0.0)  # late at night, or in a store without a forecast yet
    assert unforeseen["arrivals_per_quarter"] == pytest.approx(40, rel=0.02)
    assert (unforeseen["judgement"], unforeseen["who"]) == ("short", "K2")
    session.add_all(Shift(clerk_id=f"L{i}", duty="floor", **shift) for i in range(12))
    session.flush()
    assert live_board(session, "001", now, LAW, 5.0)["step"] == "release"
    assert live_board(session, "001", now + timedelta(hours=20), LAW, 0.0)["step"] == "none"
