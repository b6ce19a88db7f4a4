"""Days as a Japanese shop sees them: weekday, public holiday, the day before, New Year and Obon, the time of year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
from babel.core import get_global
from numpy.typing import NDArray

from analytics.rates import Floats

SEASON_DAYS = 300  # a yearly wave is only looked for where most of a year is known


@dataclass(frozen=True)
class DayKinds:
    """Per day: *weekday* (Monday 0), and flags that add to or replace it."""

    weekday: NDArray[np.intp]
    holiday: NDArray[np.bool_]
    eve: NDArray[np.bool_]
    new_year: NDArray[np.bool_]
    obon: NDArray[np.bool_]
    year_angle: Floats

    @property
    def profile(self) -> NDArray[np.intp]:
        """Return the kind of day for the shape of the day: its weekday, or Sunday for a public holiday."""
        return np.where(self.holiday | self.new_year, 6, self.weekday)


@lru_cache(maxsize=64)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year).keys())


@lru_cache(maxsize=64)
def country_of(timezone: str) -> str:
    """Return the country whose holidays a store in that zone keeps; Japan where the zone names none we know."""
    country = str(get_global("zone_territories").get(timezone, "JP"))
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        return "JP"
    return country


def is_public_holiday(day: date, country: str = "JP") -> bool:
    """Return whether *day* is a public holiday (振替休日 included)."""
    return day in _public_holidays(country, day.year)


def day_kinds(days: Sequence[date], country: str = "JP") -> DayKinds:
    """Return the kinds of *days* by the calendar of *country*."""
    holiday = np.array([is_public_holiday(d, country) for d in days], dtype=np.bool_)
    ahead = [d + timedelta(days=1) for d in days]
    eve = np.array([is_public_holiday(d, country) for d in ahead], dtype=np.bool_)
    year_end = np.array([(d.month, d.day) >= (12, 29) or (d.month, d.day) <= (1, 3) for d in days], dtype=np.bool_)
    obon = np.array([d.month == 8 and 13 <= d.day <= 16 for d in days], dtype=np.bool_)
    weekday = np.array([d.weekday() for d in days], dtype=np.intp)
    angle = np.array([2 * np.pi * d.timetuple().tm_yday / 365.25 for d in days])
    return DayKinds(weekday, holiday, eve & ~holiday & (weekday < 5), year_end, obon, angle)


def day_matrix(kinds: DayKinds, *, seasonal: bool) -> Floats:
    """Return the columns that a day's total depends on: weekday, holiday, eve, New Year, Obon, yearly wave."""
    columns = [np.ones(kinds.weekday.size)]
    columns += [(kinds.weekday == d).astype(np.float64) for d in range(1, 7)]
    # A holiday on a Sunday is a Sunday; on a weekday it makes the difference.
    columns.append((kinds.holiday & (kinds.weekday < 5)).astype(np.float64))
    columns += [flag.astype(np.float64) for flag in (kinds.eve, kinds.new_year, kinds.obon)]
    if seasonal:
        columns += [f(k * kinds.year_angle) for k in (1, 2) for f in (np.sin, np.cos)]
    return np.column_stack(columns)
