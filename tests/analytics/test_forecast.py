"""The forecast of arrivals: calendar, accuracy, intervals, thin data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.forecast import backtest, chance_wape, country_of, day_kinds, fit_arrivals, past_weeks, pinball, wape
from analytics.forecast.model import slot_matrix
from journey.errors import NotEnoughData
from journey.simulation import simulate


def drawn(days: list[date], seed: int, level: float = 300.0) -> tuple[np.ndarray, np.ndarray]:
    """Expected and drawn arrivals of a shop that opens from nine to eleven at night."""
    rng = np.random.default_rng(seed)
    kinds = day_kinds(days)
    factor = np.array([0.94, 0.92, 0.93, 0.94, 1.04, 1.2, 1.14])[kinds.weekday] * np.where(kinds.holiday, 1.3, 1)
    shape = np.zeros(96)
    shape[36:92] = np.exp(-(((np.arange(36, 92) - 66) / 18.0) ** 2))
    mean = level * factor[:, None] * shape / shape.sum()
    arrivals = rng.poisson(mean * rng.lognormal(0, 0.08, len(days))[:, None]).astype(float)
    arrivals[:, :36] = arrivals[:, 92:] = np.nan
    return mean, arrivals


def span(first: date, count: int) -> list[date]:
    return [first + timedelta(days=d) for d in range(count)]


def test_the_japanese_calendar() -> None:
    kinds = day_kinds([date(2026, 5, 2), date(2026, 5, 6), date(2026, 8, 14), date(2026, 12, 31), date(2026, 5, 1)])
    assert kinds.holiday.tolist() == [False, True, False, False, False]  # 6 May 2026 is a substitute holiday (振替休日)
    assert kinds.profile[1] == 6
    assert kinds.obon.tolist() == [False, False, True, False, False]
    assert kinds.new_year[3]
    assert day_kinds([date(2026, 7, 19)]).eve.tolist() == [False]  # a Sunday before 海の日 is a Sunday
    assert day_kinds([date(2026, 4, 28)]).eve.tolist() == [True]


def test_forecast_beats_the_weeks_before_and_its_interval_holds() -> None:
    days = span(date(2025, 9, 1), 180)
    found = [backtest(days, drawn(days, seed)[1]) for seed in range(6)]
    assert all(f is not None and f.wape < 0.85 * f.naive_wape for f in found)
    assert 0.93 <= np.mean([f.coverage for f in found if f]) <= 0.995


def test_holidays_and_weekdays_are_recovered() -> None:
    days = span(date(2025, 1, 6), 360)
    model = fit_arrivals(days, drawn(days, 3, level=3000.0)[1])
    ahead = span(days[-1] + timedelta(days=1), 28)
    expected, truth = model.expect(ahead).sum(axis=1), drawn(ahead, 0, level=3000.0)[0].sum(axis=1)
    assert np.abs(expected / truth - 1).max() < 0.15
    coming_of_age, monday_after = model.expect([date(2026, 1, 12), date(2026, 1, 19)]).sum(axis=1)
    assert coming_of_age > 1.15 * monday_after


def test_a_single_day_and_gaps_give_a_wide_forecast_not_an_error() -> None:
    days = span(date(2026, 1, 5), 1)
    _, arrivals = drawn(days, 1)
    arrivals[0, 50:60] = np.nan
    model = fit_arrivals(days, arrivals)
    expected = model.expect(span(date(2026, 1, 6), 14))
    assert np.isfinite(expected).all()
    assert expected.sum(axis=1).min() > 50
    high = model.quantile(expected, 0.975)
    assert high.max() > 1.5 * expected.max()
    assert backtest(days, arrivals) is None


def test_nothing_counted_is_said() -> None:
    with pytest.raises(NotEnoughData, match="no arrivals"):
        fit_arrivals([date(2026, 1, 5)], np.full((1, 96), np.nan))


def test_losses_by_hand() -> None:
    assert wape(np.array([10.0, 0.0]), np.array([8.0, 1.0])) == pytest.approx(0.3)
    assert pinball(np.array([10.0, 4.0]), np.array([8.0, 8.0]), 0.9) == pytest.approx((0.9 * 2 + 0.1 * 4) / 2)


def test_the_laws_of_a_simulated_chain_are_recovered(tmp_path: Path) -> None:
    simulate(tmp_path, stores=1, customers=1500, days=200, seed=3, end=date(2026, 8, 1), dirty_share=0.0)
    truth = pl.read_csv(tmp_path / "truth" / "arrivals.csv")
    factors = pl.read_csv(tmp_path / "truth" / "days.csv", try_parse_dates=True)
    traffic = pl.read_parquet(tmp_path / "traffic.parquet")
    at = pl.col("starts_at")
    if traffic["starts_at"].dtype == pl.String:
        at = at.str.to_datetime(time_zone="UTC")
    local = at.dt.convert_time_zone("Asia/Tokyo")
    kinds = dict(factors.select("date", "day_kind").iter_rows())
    scale = dict(factors.select("date", "factor").iter_rows())
    mine = traffic.filter(store_id="S001").select(
        day=local.dt.date(),
        slot=local.dt.hour().cast(pl.Int64) * 4 + local.dt.minute() // 15,
        arrivals=pl.col("entered").cast(pl.Float64),
    )
    days, matrix = slot_matrix(mine)
    cut = len(days) - 28
    model = fit_arrivals(days[:cut], matrix[:cut])
    ahead = days[cut:]
    expected = model.expect(ahead)
    rates = np.zeros((8 * 96,)).reshape(8, 96)
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
    for kind, quarter, rate in truth.filter(store_id="S001").select("day_kind", "quarter", "rate").iter_rows():
        rates[names.index(kind), quarter] = rate
    true = np.array([rates[names.index(kinds[day])] * scale[day] for day in ahead])
    # Against the rates themselves, not the counts drawn from them: what is left is the model's own error.
    assert wape(true.sum(axis=1), expected.sum(axis=1)) < 0.1
    assert wape(true, expected) < 0.2
    drawn = np.nan_to_num(matrix[cut:])
    assert wape(drawn, expected) < 1.1 * wape(drawn, true)  # hardly worse than knowing the law
    low, high = model.quantile(expected, 0.025), model.quantile(expected, 0.975)
    opened = expected > 0.2
    assert 0.93 <= float(np.mean(((low <= drawn) & (drawn <= high))[opened])) <= 0.995


def test_each_past_week_is_forecast_from_the_days_before_it_alone() -> None:
    days = span(date(2026, 1, 5), 50)  # to Monday 23 February: the week that has just begun does not count
    _, arrivals = drawn(days, 4)
    weeks = past_weeks(days, arrivals, weeks=3)
    assert list(weeks) == [date(2026, 2, 2), date(2026, 2, 9), date(2026, 2, 16)]
    assert list(past_weeks(days, arrivals, weeks=3, known={date(2026, 2, 9)})) == [date(2026, 2, 2), date(2026, 2, 16)]
    cut = days.index(date(2026, 2, 9))
    changed = arrivals.copy()
    changed[cut:] *= 3  # what comes later changes nothing of the week before
    assert past_weeks(days, changed, weeks=3)[date(2026, 2, 2)] == weeks[date(2026, 2, 2)]
    assert past_weeks(days, changed, weeks=3)[date(2026, 2, 9)].wape > 1.5 * weeks[date(2026, 2, 9)].wape
    assert past_weeks(days[:13], arrivals[:13]) == {}
    assert past_weeks([], arrivals[:0]) == {}


def test_a_store_keeps_the_holidays_of_its_country() -> None:
    assert (country_of("Asia/Tokyo"), country_of("Europe/Berlin"), country_of("Nowhere/Land")) == ("JP", "DE", "JP")
    assert day_kinds([date(2026, 10, 3)], "DE").holiday.tolist() == [True]
    assert day_kinds([date(2026, 10, 3)], "JP").holiday.tolist() == [False]


def test_what_chance_alone_makes_of_a_forecast() -> None:
    rng = np.random.default_rng(3)
    expected = np.array([0.2, 1.0, 2.7, 14.0])
    seen = rng.poisson(expected, (200_000, 4))
    assert chance_wape(expected) == pytest.approx(np.abs(seen - expected).sum() / (expected.sum() * 200_000), abs=0.002)
    assert chance_wape(np.zeros(3)) == 0


def test_a_shop_that_sells_now_and_then_has_no_forecast_and_no_figures_from_nothing() -> None:
    days = span(date(2026, 3, 2), 60)
    arrivals = np.full((60, 96), np.nan)
    arrivals[np.arange(60), 30 + np.arange(60) % 60] = 1.0  # one quarter hour a day, another one each time
    with pytest.raises(NotEnoughData, match="no day counted through"):
        fit_arrivals(days, arrivals)
    assert backtest(days, arrivals) is None
    assert past_weeks(days, arrivals) == {}
