"""Days on the store's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.stores import DEFAULT_TIMEZONE, Store


@lru_cache(maxsize=64)
def zone(name: str | None, default: str = DEFAULT_TIMEZONE) -> ZoneInfo:
    """The time zone of that IANA name; the chain's where a store has none or an unknown one."""
    try:
        return ZoneInfo(name or default)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(default)


def store_zone(session: Session, store_id: str, default: str = DEFAULT_TIMEZONE) -> ZoneInfo:
    """The time zone in which a store lives."""
    return zone(session.scalar(select(Store.timezone).where(Store.store_id == store_id)), default)


def local_date(moment: datetime, tz: ZoneInfo) -> date:
    """The date on the store's calendar at a moment."""
    return moment.astimezone(tz).date()


def day_bounds(day: date, tz: ZoneInfo, days: int = 1) -> tuple[datetime, datetime]:
    """The first moment of a local day and the first moment after it (or after ``days`` of them), in UTC."""
    start = datetime.combine(day, time.min, tzinfo=tz)
    end = datetime.combine(day + timedelta(days=days), time.min, tzinfo=tz)
    return start.astimezone(UTC), end.astimezone(UTC)
