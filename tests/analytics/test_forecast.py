"""The forecast of arrivals: calendar, accuracy, intervals, thin data."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.forecast import backtest, day_kinds, fit_arrivals, pinball, wape
from journey.errors import NotEnoughData


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
