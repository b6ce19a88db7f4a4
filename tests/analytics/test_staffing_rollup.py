"""The roll-ups of staffing: the report's own figures, brought up to date day by day, in every kind of store."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.staffing import report, roll_up
from analytics.staffing.arrivals import receipts
from analytics.staffing.coming_hours import coming_hours
from analytics.staffing.facts import runs, up_to_date
from analytics.staffing.report import computed_report
from analytics.staffing.rolled_up import coming_slots, past_slots
from journey.customers import Customer
from journey.fact_days import mark_days
from journey.local_days import zone
from journey.purchases import PosLine
from journey.rosters import Shift
from journey.staffing_slots import ForecastWeek, StaffingForecast, StaffingSlot, StaffingStore
from journey.stores import Store
from journey.suggestions import Suggestion
from journey.traffic import Traffic
from tests.analytics.test_staffing import OPENING, week_of_traffic

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NOTHING = {"rollup": "staffing", "stores": 0, "days": 0, "slots": 0}


def sale(session: Session, store: str, at: datetime, number: int, customer: str | None = None) -> None:
    session.add(
        PosLine(
            receipt_id=f"{store}-{number}", line_no=1, store_id=store, sold_at=at, customer_id=customer,
            local_day=(at.date() - date(1970, 1, 1)).days, product_id="P", quantity=1, amount=1,
        )
    )  # fmt: skip


def close(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return all(
        value == pytest.approx(theirs[key], nan_ok=True) if isinstance(value, float) else value == theirs[key]
        for key, value in ours.items()
    )


def test_screens_and_report_have_the_same_figures(session: Session) -> None:
    week_of_traffic(session)
    for number in range(60):
        session.add(Customer(customer_id=f"C{number}"))
        sale(session, "001", OPENING + timedelta(hours=number * 3 % 200), number, f"C{number}")
    session.flush()
    before = report(session)
    done = roll_up(session, now=NOW)
    assert done["stores"] == 1
    assert done["slots"] == len(before["slots"]) == 21 * 40
    assert up_to_date(session)
    after = report(session)
    for part in ("slots", "forecast", "service", "conversion", "plan"):
        assert len(after[part]) == len(before[part])
        assert all(close(a, b) for a, b in zip(after[part], before[part], strict=True)), part
    shown = past_slots(session, "001")
    assert shown["starts_at"].to_list() == [row["starts_at"] for row in before["slots"]]
    assert shown["needed"].to_list() == [row["needed"] for row in before["slots"]]


def test_only_days_that_changed_are_read_again(session: Session) -> None:
    week_of_traffic(session)
    roll_up(session, now=NOW)
    assert roll_up(session, now=NOW) == NOTHING
    early = session.get_one(StaffingSlot, ("001", OPENING))
    usual_then = early.expected
    busy = OPENING + timedelta(days=10)
    session.execute(update(Traffic).where(Traffic.starts_at == busy).values(entered=400))
    assert not up_to_date(session)
    done = roll_up(session, now=NOW)
    assert (done["stores"], done["days"], done["slots"]) == (1, 1, 40)
    assert session.get_one(StaffingSlot, ("001", busy)).entered == 100
    assert session.get_one(StaffingSlot, ("001", OPENING)).expected == usual_then  # judged once, and stays so
    assert session.scalar(select(func.count()).select_from(StaffingSlot)) == 21 * 40


def test_everything_is_judged_anew_where_asked(session: Session) -> None:
    week_of_traffic(session)
    roll_up(session, now=NOW)
    assert roll_up(session, now=NOW, everything=True)["slots"] == 21 * 40
    assert session.scalar(select(func.count()).select_from(StaffingSlot)) == 21 * 40


def test_a_day_that_was_taken_back_goes(session: Session) -> None:
    week_of_traffic(session)
    roll_up(session, now=NOW)
    last = OPENING + timedelta(days=20)
    session.execute(delete(Traffic).where(Traffic.starts_at >= last))
    session.execute(delete(Shift).where(Shift.starts_at >= last))
    roll_up(session, now=NOW)
    assert past_slots(session, "001")["day"].max() == date(2026, 1, 24)
    assert session.get_one(StaffingStore, "001").last_day == date(2026, 1, 24)
    assert coming_slots(session, "001")["day"].min() == date(2026, 1, 25)


def test_a_past_weeks_accuracy_is_measured_once_and_kept(session: Session) -> None:
    week_of_traffic(session, days=35)
    roll_up(session, now=NOW)
    weeks = session.scalars(select(ForecastWeek).order_by(ForecastWeek.week)).all()
    assert [week.week for week in weeks] == [date(2026, 1, 19), date(2026, 1, 26), date(2026, 2, 2)]
    assert all(week.wape < 0.3 and week.pinball_50 >= 0 and 0 <= week.coverage <= 1 for week in weeks)
    kept = weeks[0].wape
    session.add(Traffic(store_id="001", starts_at=OPENING + timedelta(days=35), minutes=60, entered=9))
    session.flush()
    roll_up(session, now=NOW)
    assert session.scalar(select(ForecastWeek.wape).order_by(ForecastWeek.week).limit(1)) == kept


def test_without_counters_receipts_and_without_tills_scans_tell(session: Session) -> None:
    week_of_traffic(session)
    session.add_all([Store(store_id="002", name="till"), Store(store_id="003", name="tablet only")])
    for number in range(400):
        at = OPENING + timedelta(days=number % 20, minutes=30 * (number % 16))
        sale(session, "002", at + timedelta(seconds=number % 59), number)
        session.add(Suggestion(suggestion_id=f"s{number}", set_id=f"s{number}", store_id="003", shown_at=at,
                               product_id="P", rank=1))  # fmt: skip
    session.flush()
    days = {(OPENING.date() - date(1970, 1, 1)).days + step for step in range(21)}
    mark_days(session.connection(), "pos_lines", days)
    mark_days(session.connection(), "suggestions", days)
    roll_up(session, now=NOW)
    till, tablet = past_slots(session, "002"), past_slots(session, "003")
    assert set(till["source"]) == {"receipts"}
    assert till["arrivals"].sum() == pytest.approx(400 / 0.7)
    assert set(tablet["source"]) == {"scans"}
    assert tablet["arrivals"].sum() == pytest.approx(400 / (420 / (21 * 208)), rel=0.02)  # the share seen in store 001
    assert set(till["judgement"]) == {"unknown"}
    assert till["rostered"].null_count() == till.height


def test_receipts_that_bear_a_date_alone_do_not_tell_when_somebody_came(session: Session) -> None:
    session.add(Store(store_id="002", name="dates only"))
    for number in range(400):
        sale(session, "002", OPENING + timedelta(days=number % 20), number)
    session.flush()
    mark_days(session.connection(), "pos_lines", {(OPENING.date() - date(1970, 1, 1)).days + n for n in range(21)})
    roll_up(session, now=NOW)
    assert past_slots(session, "002").is_empty()
    assert receipts(session, Period.of(None, None)).is_empty()
    sale(session, "002", OPENING + timedelta(seconds=1), 400)  # one real time among them: the slot is believed
    session.flush()
    assert receipts(session, Period.of(None, None))["receipts"].to_list() == [21]


@pytest.mark.parametrize(
    ("change", "hours"), [(date(2026, 3, 29), 23), (date(2025, 10, 26), 25)]
)  # fmt: skip
def test_the_days_on_which_clocks_change(session: Session, change: date, hours: int) -> None:
    tz = zone("Europe/Berlin")
    session.add(Store(store_id="B", name="Berlin", timezone="Europe/Berlin"))
    start = datetime.combine(change - timedelta(days=20), datetime.min.time(), tz).astimezone(UTC)
    until = datetime.combine(change + timedelta(days=2), datetime.min.time(), tz).astimezone(UTC)
    moment = start
    while moment < until:  # a shop that never closes
        session.add(Traffic(store_id="B", starts_at=moment, minutes=60, entered=4 + moment.astimezone(tz).hour))
        moment += timedelta(hours=1)
    session.flush()
    roll_up(session, now=NOW)
    slots = past_slots(session, "B")
    by_day = dict(slots.group_by("day").len().iter_rows())
    assert by_day[change] == hours * 4
    assert {count for day, count in by_day.items() if day != change} == {96}
    night = slots.filter((pl.col("day") == change) & (pl.col("slot") == 8))  # two in the morning
    assert night.height == (0 if hours == 23 else 2)
    assert slots["needed"].null_count() == 0
    ahead = coming_slots(session, "B")
    assert set(ahead.group_by("day").len()["len"]) == {96}
    for row in ahead.head(96).to_dicts():  # the hour on the wall decides how many come
        assert row["arrivals"] == pytest.approx((4 + row["slot"] // 4) / 4, rel=0.25)


def test_the_forecast_itself_passes_a_change_of_clocks(session: Session) -> None:
    tz = zone("Europe/Berlin")
    session.add(Store(store_id="B", name="Berlin", timezone="Europe/Berlin"))
    for day in range(30):
        for hour in range(24):
            local = datetime(2026, 2, 25, hour, tzinfo=tz) + timedelta(days=day)
            session.add(Traffic(store_id="B", starts_at=local, minutes=60, entered=8))
    session.flush()
    roll_up(session, now=NOW)
    ahead = coming_slots(session, "B")
    assert dict(ahead.group_by("day").len().iter_rows())[date(2026, 3, 29)] == 92
    assert ahead.filter(pl.col("day") == date(2026, 3, 30))["starts_at"][0] == "2026-03-30T00:00:00+02:00"


def test_nothing_one_day_and_one_clerk(session: Session) -> None:
    assert roll_up(session, now=NOW) == NOTHING
    assert not up_to_date(session)
    session.add(Store(store_id="001", name="new"))
    session.add(Shift(clerk_id="K", store_id="001", starts_at=OPENING, ends_at=OPENING + timedelta(hours=4)))
    session.flush()
    roll_up(session, now=NOW)
    assert past_slots(session, "001").is_empty()
    session.add(Traffic(store_id="001", starts_at=OPENING, minutes=60, entered=3))
    session.flush()
    assert roll_up(session, now=NOW)["slots"] == 4
    assert past_slots(session, "001")["rostered"].to_list() == [1.0] * 4
    assert session.scalar(select(func.count()).select_from(StaffingForecast)) == 0  # one day is no forecast
    assert close(report(session)["slots"][0], computed_report(session)["slots"][0])
    assert report(session)["forecast"] == computed_report(session)["forecast"] == []
    for day in range(1, 7):
        session.add(Traffic(store_id="001", starts_at=OPENING + timedelta(days=day), minutes=60, entered=3))
    session.flush()
    roll_up(session, now=NOW)
    assert session.scalar(select(func.count()).select_from(StaffingForecast)) == 21 * 4


def test_the_rest_of_a_day_is_judged_hour_by_hour(session: Session) -> None:
    tokyo = zone(None)
    week_of_traffic(session)
    roll_up(session, now=NOW)
    day = coming_slots(session, "001")["day"].min()
    assert isinstance(day, date)
    opening = OPENING + timedelta(days=(day - OPENING.astimezone(tokyo).date()).days)
    now = opening + timedelta(hours=3, minutes=5)
    assert {one["judgement"] for one in coming_hours(session, "001", tokyo, now)} == {"unknown"}
    session.add(Shift(clerk_id="K1", store_id="001", starts_at=opening, ends_at=opening + timedelta(hours=5)))
    session.flush()
    hours = coming_hours(session, "001", tokyo, now)
    first = (opening + timedelta(hours=3)).astimezone(tokyo).hour
    assert [one["hour"] for one in hours] == list(range(first, first + 7))  # ten hours a day, three are over
    assert [one["rostered"] for one in hours[:3]] == [1.0, 1.0, 0.0]
    assert {one["judgement"] for one in hours[2:]} == {"short"}
    assert all(one["needed"] > 0 for one in hours)
    whole = coming_slots(session, "001").filter(pl.col("day") == day)
    later = whole.filter(pl.col("slot_at") >= int((opening + timedelta(hours=3, minutes=15)).timestamp() * 1e6))
    assert sum(one["arrivals"] for one in hours) == pytest.approx(later["arrivals"].sum())
    assert coming_hours(session, "001", tokyo, opening + timedelta(hours=11)) == []
    assert coming_hours(session, "nowhere", tokyo, now) == []


def test_days_are_read_in_few_stretches() -> None:
    assert runs([1, 2, 4, 40, 41, 3]) == [(1, 4), (40, 41)]
    assert runs([]) == []
    assert len(runs(range(365))) == 12
