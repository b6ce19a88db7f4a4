"""The stretch of time an analysis looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from journey.database import from_micros, to_micros
from journey.stores import DEFAULT_TIMEZONE

DAY_MICROS = 86_400_000_000
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Period:
    """From ``start`` (included) to ``end`` (excluded), in microseconds since the epoch; None is open."""

    start: int | None
    end: int | None

    @classmethod
    def of(cls, start: date | datetime | None, end: date | datetime | None, zone: str = DEFAULT_TIMEZONE) -> Period:
        """A period from dates (both days included, in the chain's zone) or aware datetimes (the end excluded)."""
        return cls(_edge(start, zone, 0), _edge(end, zone, 1))

    def covers(self, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """The condition that an Instant column lies in the period."""
        condition: ColumnElement[bool] = true()
        if self.start is not None:
            condition = condition & (column >= from_micros(self.start))
        if self.end is not None:
            condition = condition & (column < from_micros(self.end))
        return condition


def _edge(moment: date | datetime | None, zone: str, days_after: int) -> int | None:
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return to_micros(moment)
    return to_micros(datetime.combine(moment + timedelta(days=days_after), time(), ZoneInfo(zone)))


def local_day(micros: int, zone: str = DEFAULT_TIMEZONE) -> int:
    """Days since 1970-01-01 on the calendar of a zone."""
    return (from_micros(micros).astimezone(ZoneInfo(zone)).date() - EPOCH_DAY).days
