"""Which facts each day of a store consists of, so that a roll-up reads again only what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from analytics.period import DAY_MICROS
from journey.database import from_micros
from journey.fact_days import FactDay
from journey.purchases import PosLine
from journey.rosters import Shift
from journey.staffing_slots import StaffingDay
from journey.stores import Store
from journey.traffic import Traffic

RECENT_DAYS = 2
DayOfStore = tuple[str, int]  # store, and day of UTC since 1970


def day_facts(session: Session) -> dict[DayOfStore, str]:
    """Return, per store and day of UTC, what the facts of that day add up to: equal sums, equal facts.

    Counters and shifts are counted and summed; sales (and scans, where nothing else tells of arrivals) have a token
    that is drawn anew whenever anything of the day changes. A sale's day is the store's own, so that it may lie in any
    of three days of UTC.
    """
    day = cast(Traffic.starts_at, BigInteger) // DAY_MICROS
    counted = session.execute(
        select(Traffic.store_id, day, func.count(), func.sum(Traffic.entered), func.sum(Traffic.minutes)).group_by(
            Traffic.store_id, day
        )
    )
    parts: dict[DayOfStore, list[str]] = defaultdict(list)
    counters = set()
    for store, at, *sums in counted:
        counters.add(store)
        parts[store, int(at)].append(f"t{sums[0]}:{sums[1]}:{sums[2]}")
    begins, ends = cast(Shift.starts_at, BigInteger), cast(Shift.ends_at, BigInteger)
    shift_day = begins // DAY_MICROS
    on_floor = func.count().filter(func.coalesce(Shift.duty, "floor") == "floor")
    rostered = session.execute(
        select(
            Shift.store_id, shift_day, func.count(), on_floor, func.sum(begins % DAY_MICROS), func.sum(ends - begins)
        ).group_by(Shift.store_id, shift_day)
    )
    for store, at, *sums in rostered:
        text = "s" + ":".join(str(int(value or 0)) for value in sums)
        parts[store, int(at)].append(text)
        parts[store, int(at) + 1].append(text)  # a late shift goes on past midnight
    _add_tokens(session, parts, counters)
    return {key: "|".join(values) for key, values in parts.items()}


def changed_days(before: Mapping[DayOfStore, str], now: Mapping[DayOfStore, str]) -> list[DayOfStore]:
    """Return the days whose facts are others than *before*, those that have gone included."""
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def rolled_up_days(session: Session) -> dict[DayOfStore, str]:
    """Return the facts that the roll-ups were made from."""
    rows = session.execute(select(StaffingDay.store_id, StaffingDay.utc_day, StaffingDay.facts))
    return {(store, day): facts for store, day, facts in rows}


def up_to_date(session: Session) -> bool:
    """Return whether there are roll-ups and they were made from the facts as they stand."""
    before = rolled_up_days(session)
    return bool(before) and before == day_facts(session)


def runs(days: Iterable[int], *, gap: int = 3, longest: int = 31) -> list[tuple[int, int]]:
    """Return *days* as (first, last) stretches that are read in one go."""
    found: list[tuple[int, int]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] <= gap and day - found[-1][0] < longest:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _add_tokens(session: Session, parts: dict[DayOfStore, list[str]], counters: set[str]) -> None:
    """Add the tokens of the days of sales, and of scans for stores of which nothing else is known.

    Sales that come one by one draw no token, so those of a store's last days are counted as well.
    """
    tills = last_sales(session)
    others = set(session.scalars(select(Store.store_id))) - counters - tills.keys()
    tokens: dict[str, dict[int, int]] = {"pos_lines": {}, "suggestions": {}}
    wanted = select(FactDay.table_name, FactDay.day, FactDay.token).where(FactDay.table_name.in_(tokens))
    for table, day, token in session.execute(wanted):
        tokens[table][day] = token
    for store in sorted(tills.keys() | others):
        sales = store in tills
        known = tokens["pos_lines" if sales else "suggestions"]
        around = (-1, 0, 1) if sales else (0,)
        recent = _recent_sales(session, store, tills[store]) if sales else {}
        days = {day + step for day in known for step in around} | recent.keys()
        if store in counters:  # sales on days without a count add nothing
            days &= {day for name, day in parts if name == store}
        for day in sorted(days):
            near = [str(known[day + step]) for step in around if day + step in known]
            if near or day in recent:
                parts[store, day].append(f"p{':'.join(near)}n{recent.get(day, '')}")


def last_sales(session: Session) -> dict[str, int]:
    """Return the stores with sales, and the moment of their last one in microseconds."""
    last = (
        select(func.max(cast(PosLine.sold_at, BigInteger)))
        .where(PosLine.store_id == Store.store_id)
        .correlate(Store)
        .scalar_subquery()
    )
    return {store: int(at) for store, at in session.execute(select(Store.store_id, last)) if at is not None}


def _recent_sales(session: Session, store: str, last: int) -> dict[int, int]:
    """Return how many lines a store sold on each of the last days before *last*."""
    since = last // DAY_MICROS - RECENT_DAYS
    day = cast(PosLine.sold_at, BigInteger) // DAY_MICROS
    rows = session.execute(
        select(day, func.count())
        .where(PosLine.store_id == store, PosLine.sold_at >= from_micros(since * DAY_MICROS))
        .group_by(day)
    )
    return {int(at): count for at, count in rows}
