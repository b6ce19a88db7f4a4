"""People on the floor: short today by roster and forecast, short every week at some hour, customers left unserved."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from analytics.rates import wilson
from analytics.staffing.coming_hours import judged_day
from analytics.staffing.recurring import recurring
from analytics.staffing.rolled_up import law_of, past_slots
from analytics.today.finding import Finding
from journey.database import to_micros
from journey.local_days import day_bounds
from journey.staffing_slots import staffing_store
from journey.visits import Visit

WEEKS = 8
EVIDENCE = ("starts_at", "arrivals", "needed", "rostered", "p_short")


def short_today(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """The hour of today at which the roster falls shortest of what is expected.

    Customers are the services that today's shortage loses, at the low end.
    """
    state = staffing_store(session, store)
    judged = judged_day(session, state, tz, today) if state else None
    if judged is None or judged["rostered"].null_count() == judged.height:
        return None
    ahead = judged.filter(pl.col("slot_at") >= to_micros(now) - 900_000_000)
    short = ahead.filter(pl.col("p_short") > 0.5)
    if short.is_empty():
        return None
    worst = short.sort("lost_high").tail(1).row(0, named=True)
    facts = {
        "slot": worst["slot"], "needed": worst["needed"], "rostered": worst["rostered"],
        "p_short": worst["p_short"], "quarters": short.height, "low": float(short["lost_low"].sum()),
        "high": float(short["lost_high"].sum()),
    }  # fmt: skip
    return Finding("short_today", facts["low"], short.height, facts, EVIDENCE, ahead.to_dicts())


def short_hour(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """The hour of the week that is short again and again and costs most.

    Customers are the services that all such hours lose a week, at the low end.
    """
    state = staffing_store(session, store)
    if state is None:
        return None
    start = state.last_day - timedelta(days=7 * WEEKS - 1)
    slots = past_slots(session, store, start=start, end=state.last_day)
    worst = recurring(slots) if not slots.is_empty() else []
    if not worst:
        return None
    first = worst[0]
    proposals = max(law_of(state).proposals, 1e-9)
    facts = {
        "weekday": first["weekday"], "hour": first["hour"], "extra": first["extra"], "weeks": first["weeks"],
        "short": round(first["short_share"] * first["weeks"]), "low": first["lost_proposals_low"],
        "high": first["lost_proposals_high"], "hours": len(worst),
    }  # fmt: skip
    rows = slots.filter(
        (pl.col("day").dt.weekday() == first["weekday"] + 1) & (pl.col("slot") // 4 == first["hour"])
    ).to_dicts()
    lost = sum(hour["lost_proposals_low"] for hour in worst) / proposals
    return Finding("short_hour", lost, len(rows), facts, EVIDENCE, rows)


def unserved(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Customers who had checked in during the last week and left without anybody attending to them."""
    since = day_bounds(today - timedelta(days=7), tz)[0]
    gone = case((Visit.attended_at.is_(None), 1), else_=0)
    here = Visit.store_id == store, Visit.arrived_at >= since, Visit.arrived_at < now, Visit.ended_at.is_not(None)
    visits, left = session.execute(select(func.count(), func.sum(gone)).where(*here)).one()
    if not left:
        return None
    low, high = (float(end[0]) for end in wilson(left, visits))
    rows = session.execute(
        select(Visit.arrived_at, Visit.ended_at).where(*here, Visit.attended_at.is_(None)).order_by(Visit.arrived_at)
    )
    facts = {"left": int(left), "visits": visits, "rate": left / visits, "low": low, "high": high}
    listed = [{"arrived_at": at, "waited": (until - at).total_seconds() / 60} for at, until in rows if until]
    return Finding("unserved", int(left), visits, facts, ("arrived_at", "waited"), listed)
