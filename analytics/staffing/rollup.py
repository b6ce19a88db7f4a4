"""Brings the roll-ups of staffing up to date: only days whose facts changed are read and judged again.

A day is judged with what was usual when its facts arrived, and keeps that judgement: what a manager saw stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, cast, delete, exists, func, select
from sqlalchemy.orm import Session

from analytics.forecast import backtest, country_of, fit_arrivals, past_weeks
from analytics.forecast.model import slot_matrix
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import DAY_MICROS, Period
from analytics.queues import DEFAULT_TARGET
from analytics.rates import Floats
from analytics.staffing.arrivals import DEFAULT_SCAN_SHARE, Scaling, combine, counted, receipts, scans
from analytics.staffing.assessment import accuracy_facts, days_ahead, forecast_slots, judged_slots, on_the_wall
from analytics.staffing.facts import DayOfStore, changed_days, day_facts, last_sales, rolled_up_days, runs
from analytics.staffing.report import HISTORY_DAYS
from analytics.staffing.roster import on_floor, shifts_in
from analytics.staffing.service_times import (
    ServiceLaw,
    last_quarter,
    laws_from,
    served_buyers,
    tablet_services,
    visit_services,
)
from journey.database import from_micros
from journey.errors import NotEnoughData
from journey.intake.staging import write_rows
from journey.local_days import zone
from journey.rosters import Shift
from journey.staffing_slots import ForecastWeek, StaffingDay, StaffingForecast, StaffingSlot, StaffingStore
from journey.stores import DEFAULT_TIMEZONE, Store
from journey.traffic import Traffic

WEEKS_TRACKED = 8
DAYS_AHEAD = 21  # a plan of two weeks may begin a few days after the last count
SLOT_TABLE = (
    "store_id", "slot_at", "day", "slot", "source", "entered", "receipts", "identified", "rostered", "expected",
    "needed", "p_short", "p_over", "judgement", "lost_proposals_low", "lost_proposals_high", "lost_sales_low",
    "lost_sales_high",
)  # fmt: skip
FORECAST_TABLE = ("store_id", "slot_at", "day", "slot", "arrivals", "low", "high", "strength", "needed")
Progress = Callable[[int, int], None]


def roll_up(
    session: Session,
    *,
    now: datetime,
    everything: bool = False,
    timezone: str = DEFAULT_TIMEZONE,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Bring slots, forecasts and their accuracy up to date with the record; returns what was done.

    Keys: stores (assessed again), days (of stores, read again), slots (written). *everything* judges all days anew;
    *timezone* is that of stores that name none. Writes into the caller's transaction.
    """
    facts = day_facts(session)
    before = rolled_up_days(session)
    changed = sorted(before.keys() | facts.keys()) if everything else changed_days(before, facts)
    if not changed:
        return {"rollup": "staffing", "stores": 0, "days": 0, "slots": 0}
    fresh, tablet, since = _read_again(session, changed)
    _forget(session, changed)
    people, buyers = _people(session, fresh, since), served_buyers(session, since)
    laws = laws_from(tablet, visit_services(session, since), people, buyers)
    zones = dict(session.execute(select(Store.store_id, Store.timezone)).all())
    names = sorted({store for store, _ in changed})
    written = 0
    for done, name in enumerate(names):
        mine = fresh.filter(pl.col("store_id") == name)
        written += _assess(session, name, mine, laws.get(name, laws[""]), str(zone(zones.get(name), timezone)), now)
        if progress is not None:
            progress(done + 1, len(names))
    rows = [(store, day, facts[store, day]) for store, day in changed if (store, day) in facts]
    if rows:
        frame = pl.DataFrame(rows, schema=["store_id", "utc_day", "facts"], orient="row")
        write_rows(session.connection(), "staffing_days", frame)
    session.expire_all()
    return {"rollup": "staffing", "stores": len(names), "days": len(changed), "slots": written}


def _read_again(session: Session, changed: list[DayOfStore]) -> tuple[pl.DataFrame, pl.DataFrame, Period]:
    """Return arrivals and roster of the changed days (the columns of `combine`, and rostered), the services seen on
    tablets in the last quarter, and that quarter.
    """
    bare = set(session.scalars(select(Store.store_id))) - set(last_sales(session)) - _stores_with_counters(session)
    door, till, opened, floor = [], [], [], []
    for first, last in runs(day for _, day in changed):
        period = Period(first * DAY_MICROS, (last + 1) * DAY_MICROS)
        door.append(counted(session, period))
        till.append(receipts(session, period))
        opened += [scans(session, period, store) for store in sorted(bare)]
        # whoever began the day before may still be there
        begins = Period((first - 1) * DAY_MICROS, (last + 1) * DAY_MICROS)
        floor.append(on_floor(shifts_in(session, begins)))
    doors, tills = pl.concat(door), pl.concat(till)
    kept = session.scalar(select(func.max(cast(StaffingSlot.slot_at, BigInteger))))
    newest = [kept, *(frame["slot_at"].max() for frame in (doors, tills, *opened))]
    since = last_quarter(max((int(at) for at in newest if isinstance(at, int)), default=0))
    tablet = tablet_services(session, since)
    scaling = _scaling(session, doors, tills, tablet, since)
    came = combine(doors, tills, pl.concat(opened) if opened else None, scaling)
    # two runs may both have read the night between them
    there = pl.concat(floor).group_by("store_id", "slot_at").agg(pl.col("rostered").max())
    days = pl.DataFrame(changed, schema={"store_id": pl.String, "utc_day": pl.Int64}, orient="row")
    fresh = (
        _with_roster(session, came, there)
        .with_columns(utc_day=pl.col("slot_at") // DAY_MICROS)
        .join(days, on=["store_id", "utc_day"], how="semi")
        .drop("utc_day")
    )
    return fresh, tablet, since


def _stores_with_counters(session: Session) -> set[str]:
    seen = exists().where(Traffic.store_id == Store.store_id)
    return set(session.scalars(select(Store.store_id).where(seen)))


def _with_roster(session: Session, came: pl.DataFrame, floor: pl.DataFrame) -> pl.DataFrame:
    """Return arrivals with `rostered`: 0 where a store that has a roster has nobody, null where it has none."""
    rostered = set(session.scalars(select(Shift.store_id).distinct()))
    parts = [came.with_columns(rostered=pl.lit(None, dtype=pl.Float64)).clear()]
    for (name,), mine in came.group_by("store_id", maintain_order=True):
        there = floor.filter(pl.col("store_id") == name).drop("store_id")
        inferred = mine["source"][0] != "counter"
        both = mine.join(there, on="slot_at", how="full" if inferred else "left", coalesce=True)
        parts.append(
            both.with_columns(
                store_id=pl.lit(name),
                source=pl.lit(mine["source"][0]),
                entered=pl.col("entered").fill_null(0.0),
                receipts=pl.col("receipts").fill_null(0),
                identified=pl.col("identified").fill_null(0),
                rostered=pl.col("rostered").fill_null(0.0) if name in rostered else pl.col("rostered"),
            ).sort("slot_at")
        )
    return pl.concat(parts)


def _scaling(session: Session, door: pl.DataFrame, till: pl.DataFrame, tablet: pl.DataFrame, since: Period) -> Scaling:
    """Return the scaling by the slots rolled up so far, else by what was just read of stores with counters."""
    counters = door["store_id"].unique()
    known = session.execute(
        select(func.sum(StaffingSlot.entered), func.sum(StaffingSlot.receipts)).where(StaffingSlot.source == "counter")
    ).one()
    both = door.join(till, on=["store_id", "slot_at"], how="left")
    entered, sold = (known[0], known[1]) if known[0] else (both["entered"].sum(), both["receipts"].sum())
    recent = float(door.filter(pl.col("slot_at") >= (since.start or 0))["entered"].sum())
    seen = float(tablet.filter(pl.col("store_id").is_in(counters.implode()))["encounters"].sum() or 0)
    by_scans = Scaling.of(recent, 0.0, seen).scans if not known[0] else DEFAULT_SCAN_SHARE
    return Scaling(Scaling.of(float(entered), float(sold or 0), 0.0).receipts, by_scans)


def _people(session: Session, fresh: pl.DataFrame, since: Period) -> pl.DataFrame:
    """Return store_id, entered, receipts and identified of the last quarter: what is kept, and what was just read."""
    statement = (
        select(
            StaffingSlot.store_id,
            func.sum(StaffingSlot.entered),
            func.sum(StaffingSlot.receipts),
            func.sum(StaffingSlot.identified),
        )
        .where(since.covers(StaffingSlot.slot_at))
        .group_by(StaffingSlot.store_id)
    )
    schema = {"store_id": TEXT, "entered": REAL, "receipts": WHOLE, "identified": WHOLE}
    kept = query_frame(session, statement, schema)
    new = fresh.filter(pl.col("slot_at") >= (since.start or 0)).select(list(schema))
    return pl.concat([kept, new]).group_by("store_id").agg(pl.col("entered", "receipts", "identified").sum())


def _forget(session: Session, changed: list[DayOfStore]) -> None:
    """Remove the slots of the changed days, and the note of what they were made from."""
    by_store: dict[str, list[int]] = {}
    for store, day in changed:
        by_store.setdefault(store, []).append(day)
    for store, days in by_store.items():
        for first, last in runs(days, gap=1, longest=100_000):
            begins, ends = from_micros(first * DAY_MICROS), from_micros((last + 1) * DAY_MICROS)
            session.execute(
                delete(StaffingSlot).where(
                    StaffingSlot.store_id == store, StaffingSlot.slot_at >= begins, StaffingSlot.slot_at < ends
                )
            )
            session.execute(
                delete(StaffingDay).where(StaffingDay.store_id == store, StaffingDay.utc_day.between(first, last))
            )


def _assess(session: Session, name: str, mine: pl.DataFrame, law: ServiceLaw, timezone: str, now: datetime) -> int:
    """Judge the slots *mine* of a store, forecast the coming ones, note the accuracy; returns the slots written."""
    frame = on_the_wall(mine.with_columns(arrivals=pl.col("entered")), timezone)
    days, matrix = slot_matrix(_history(session, name, frame))
    if not days or np.nansum(matrix) <= 0:
        return 0
    country = country_of(timezone)
    try:
        model = fit_arrivals(days, matrix, country=country)
    except NotEnoughData:
        return 0
    if not frame.is_empty():
        judged = judged_slots(frame, model, law, DEFAULT_TARGET).rename({"arrivals": "entered"})
        write_rows(session.connection(), "staffing_slots", judged.select(SLOT_TABLE))
    session.execute(delete(StaffingForecast).where(StaffingForecast.store_id == name))
    coming = forecast_slots(name, days[-1], model, law, DEFAULT_TARGET, zone(timezone), days_ahead(matrix, DAYS_AHEAD))
    write_rows(session.connection(), "staffing_forecasts", coming.select(FORECAST_TABLE))
    _track(session, name, days, matrix, country)
    checked = backtest(days, matrix, country=country)
    session.merge(
        StaffingStore(
            store_id=name,
            made_at=now,
            last_day=days[-1],
            law=asdict(law),
            accuracy=None if checked is None else accuracy_facts(name, checked),
        )
    )
    session.flush()
    return frame.height


def _history(session: Session, name: str, fresh: pl.DataFrame) -> pl.DataFrame:
    """Return day, slot and arrivals of the last 400 days: what is kept, and the slots just read."""
    last = session.scalar(select(func.max(StaffingSlot.day)).where(StaffingSlot.store_id == name))
    newest = fresh["day"].max()
    ends = [day for day in (last, newest) if isinstance(day, date)]
    since = max(ends, default=date.max) - timedelta(days=HISTORY_DAYS)
    statement = select(StaffingSlot.day, StaffingSlot.slot, StaffingSlot.entered).where(
        StaffingSlot.store_id == name, StaffingSlot.day >= since
    )
    kept = query_frame(session, statement, {"day": pl.Date, "slot": WHOLE, "arrivals": REAL})
    new = fresh.filter(pl.col("day") >= since).select("day", "slot", "arrivals")
    return pl.concat([kept, new])


def _track(session: Session, name: str, days: list[date], matrix: Floats, country: str) -> None:
    """Note the accuracy of past weeks that are not noted yet; one that is noted stays as it was measured."""
    known = set(session.scalars(select(ForecastWeek.week).where(ForecastWeek.store_id == name)))
    for week, checked in past_weeks(days, matrix, weeks=WEEKS_TRACKED, country=country, known=known).items():
        session.add(
            ForecastWeek(
                store_id=name,
                week=week,
                n=checked.n,
                wape=checked.wape,
                naive_wape=checked.naive_wape,
                pinball_10=checked.pinball[0.1],
                pinball_50=checked.pinball[0.5],
                pinball_90=checked.pinball[0.9],
                coverage=checked.coverage,
            )
        )
