"""The calendar of the window: weekdays, Japanese public holidays, seasons and points days, in local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import holidays
import numpy as np
from numpy.typing import NDArray

from journey.simulation.laws import Laws

DAY_SECONDS = 86_400
LOCAL_OFFSET = 9 * 3_600  # Asia/Tokyo has had no summer time since 1951
HOLIDAY_CLASS = 7  # the eighth kind of day beside Monday … Sunday

_PEAKS: dict[str, tuple[tuple[float, float, float], ...]] = {
    # season: (day of the year of the peak, width in days, height over the floor); the first tuple is the floor
    "none": ((1.0, 0, 0),),
    "winter": ((0.55, 0, 0), (15, 50, 1.0)),
    "kairo": ((0.02, 0, 0), (10, 38, 1.6)),
    "summer": ((0.12, 0, 0), (205, 42, 1.6)),
    "summer_soft": ((0.80, 0, 0), (210, 48, 0.7)),
    "sun": ((0.10, 0, 0), (180, 52, 1.6)),
    "icecream": ((0.55, 0, 0), (212, 50, 1.2)),
    "pollen": ((0.30, 0, 0), (70, 26, 2.0)),
    "pollen_soft": ((0.92, 0, 0), (70, 26, 0.45)),
    "yearend": ((0.80, 0, 0), (358, 14, 1.3)),
    "spring": ((0.85, 0, 0), (95, 30, 0.6)),
    "choco": ((0.75, 0, 0), (42, 10, 1.6), (15, 60, 0.4)),
}


def season_curve(name: str, day_of_year: NDArray[np.int64]) -> NDArray[np.float64]:
    """Demand factor of a season by name; shape as ``day_of_year`` (1–366)."""
    floor, *peaks = _PEAKS[name]
    curve = np.full(day_of_year.shape, floor[0], dtype=np.float64)
    for centre, width, height in peaks:
        gap = np.abs(day_of_year - centre)
        gap = np.minimum(gap, 365.25 - gap)
        curve += height * np.exp(-0.5 * (gap / width) ** 2)
    return curve


@dataclass(frozen=True)
class Days:
    """Days 0 … n-1 of the window; seconds in the simulation count from ``start`` 00:00 local time."""

    start: date
    n: int
    weekday: NDArray[np.int64]
    holiday: NDArray[np.bool_]
    day_of_year: NDArray[np.int64]
    kind: NDArray[np.int64]  # 0–6 weekday, 7 public holiday
    factor: NDArray[np.float64]  # demand of the day over its base rate (season, points day, New Year)

    @property
    def epoch(self) -> int:
        """Seconds since 1970 UTC of the window's first local midnight."""
        return (self.start - date(1970, 1, 1)).days * DAY_SECONDS - LOCAL_OFFSET

    def date_of(self, day: int) -> date:
        """The calendar date of a day number, which may lie outside the window."""
        return self.start + timedelta(days=int(day))


def make_days(end: date, n: int, laws: Laws) -> Days:
    """The ``n`` days before ``end`` (exclusive)."""
    start = end - timedelta(days=n)
    dates = [start + timedelta(days=i) for i in range(n)]
    known = holidays.country_holidays("JP", years=range(start.year, end.year + 1))
    weekday = np.array([d.weekday() for d in dates], dtype=np.int64)
    holiday = np.array([d in known for d in dates], dtype=np.bool_)
    day_of_year = np.array([d.timetuple().tm_yday for d in dates], dtype=np.int64)
    factor = 1.0 + 0.05 * np.cos(2 * np.pi * (day_of_year - 355) / 365.25)
    factor *= np.where([d.day in (5, 15, 25) for d in dates], laws.points_day_factor, 1.0)
    factor *= np.where([(d.month, d.day) == (1, 1) for d in dates], laws.new_year_day_factor, 1.0)
    factor *= np.where([d.month == 12 and d.day >= 27 for d in dates], 1.2, 1.0)
    kind = np.where(holiday, HOLIDAY_CLASS, weekday)
    return Days(start, n, weekday, holiday, day_of_year, kind, factor)


def kind_factors(laws: Laws) -> NDArray[np.float64]:
    """Demand factor of Monday … Sunday and public holidays, shape (8,)."""
    return np.array([*laws.weekday_factor, laws.holiday_factor], dtype=np.float64)
