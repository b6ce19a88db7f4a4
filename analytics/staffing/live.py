"""The live board of a store: short or quiet at this moment, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from analytics.queues import DEFAULT_TARGET, ServiceTarget
from analytics.staffing.arrivals import SLOT_MICROS
from analytics.staffing.judgement import judge, rate_posterior
from analytics.staffing.service_times import ServiceLaw
from journey.database import from_micros, to_micros
from journey.rosters import Shift
from journey.staffing_slots import StaffingForecast, StaffingStore
from journey.suggestions import Suggestion, was_shown
from journey.traffic import Traffic
from journey.visits import Visit

LOOK_BACK = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
NOTHING_KNOWN = 0.5  # Jeffreys' shape of a rate of which nothing is known beforehand
USUAL_STRENGTH = 4.0  # how firmly the usual count is believed against the last half hour's (shape of a gamma)


def live_board(
    session: Session,
    store: str,
    now: datetime,
    law: ServiceLaw,
    usual_per_quarter: float,
    *,
    target: ServiceTarget = DEFAULT_TARGET,
) -> dict[str, Any]:
    """Return what is going on in *store* at *now*: arrivals, who is on the floor and in the back, judgement and step.

    The rate is that of the last half hour at the door, blended with *usual_per_quarter*; without a counter by the
    share opened on tablets in that time, else the usual one (`source`: counter, tablets, usual). Without any roster
    of the day those who used a tablet are on the floor; where nobody did, the judgement is «unknown».
    `step` is call_to_floor (with `who` from the back room, or open_counter where nobody is there), release (one may
    leave the floor) or none. `waiting` are customers checked in and not attended yet.
    """
    seen = _seen(session, store, now)
    duty = session.execute(
        select(Shift.clerk_id, func.coalesce(Shift.duty, "floor"))
        .where(Shift.store_id == store, Shift.starts_at <= now, Shift.ends_at > now)
        .order_by(Shift.clerk_id)
    ).all()
    off = {clerk for clerk, what in duty if what != "floor"}
    floor = [clerk for clerk, what in duty if what == "floor" and clerk not in off]
    back = [clerk for clerk, what in duty if what == "back"]
    known = "roster"
    if not duty and not _has_roster(session, store, now):
        floor, known = list(seen.clerks), "tablets" if seen.clerks else "nothing"
    waiting = session.scalar(
        select(func.count())
        .select_from(Visit)
        .where(
            Visit.store_id == store,
            Visit.attended_at.is_(None),
            Visit.ended_at.is_(None),
            cast(Visit.arrived_at, BigInteger) >= to_micros(now - LOOK_BACK),
            Visit.arrived_at <= now,
        )
    )
    usual = np.array([max(usual_per_quarter, 1e-6)])
    shape, rate = rate_posterior(np.zeros(1), usual, np.array([USUAL_STRENGTH]))
    rate = rate - 1.0
    if usual_per_quarter <= 0 and (seen.quarters > 0 or seen.clerks):
        # nobody is foreseen at this hour: that says nothing against people who are there
        shape, rate = np.array([NOTHING_KNOWN]), np.zeros(1)
    source = "usual"
    if seen.quarters > 0:
        shape, rate, source = shape + seen.entered, rate + seen.quarters, "counter"
    elif seen.clerks:
        # who is opened on a tablet is the share of those who came that is served
        shape, rate, source = shape + seen.opened, rate + LOOK_BACK / QUARTER * law.share, "tablets"
    judged = judge(shape, rate, np.array([np.nan if known == "nothing" else float(len(floor))]), law, target=target)
    verdict = judged.judgement[0]
    step, who = "none", None
    if verdict == "short":
        step, who = ("call_to_floor", back[0]) if back else ("open_counter", None)
    elif verdict == "over" and len(floor) > 1:
        step = "release"
    return {
        "store_id": store,
        "at": now.isoformat(),
        "arrivals_per_quarter": float(shape[0] / rate[0]),
        "source": source,
        "waiting": waiting or 0,
        "opened": seen.opened,
        "on_floor": floor,
        "floor_known_from": known,
        "in_back": back,
        "needed": int(judged.needed[0]),
        "p_short": None if known == "nothing" else float(judged.p_short[0]),
        "judgement": verdict,
        "step": step,
        "who": who,
    }


@dataclass(frozen=True)
class _Seen:
    """The last half hour: people *entered* in counted *quarters*, customers *opened*, and *clerks* on tablets."""

    entered: float
    quarters: float
    opened: int
    clerks: tuple[str, ...]


def _seen(session: Session, store: str, now: datetime) -> _Seen:
    since = now - LOOK_BACK
    counted, minutes = session.execute(
        select(func.sum(Traffic.entered), func.sum(Traffic.minutes)).where(
            Traffic.store_id == store, Traffic.starts_at >= since, Traffic.starts_at < now
        )
    ).one()
    shown = session.execute(
        select(Suggestion.clerk_id, func.coalesce(Suggestion.set_id, Suggestion.suggestion_id))
        .where(Suggestion.store_id == store, Suggestion.shown_at >= since, Suggestion.shown_at <= now, was_shown())
        .distinct()
    ).all()
    clerks = tuple(sorted({clerk for clerk, _ in shown if clerk}))
    return _Seen(float(counted or 0), float(minutes or 0) / 15, len({opened for _, opened in shown}), clerks)


def _has_roster(session: Session, store: str, now: datetime) -> bool:
    """Return whether any shift of about today is known; then nobody on the floor means nobody."""
    near = timedelta(hours=12)
    shift = select(Shift.clerk_id).where(
        Shift.store_id == store, Shift.starts_at >= now - near, Shift.starts_at <= now + near
    )
    return session.scalar(shift.limit(1)) is not None


def store_now(session: Session, store: str, now: datetime) -> dict[str, Any]:
    """Return the live board by what is rolled up of the store; `usual` tells how many usually come in this quarter
    hour, None where no forecast reaches it: then only what is seen counts.
    """
    state = session.get(StaffingStore, store)
    law = ServiceLaw(**state.law) if state else ServiceLaw()
    slot = to_micros(now) // SLOT_MICROS * SLOT_MICROS
    expected = session.scalar(
        select(StaffingForecast.arrivals).where(
            StaffingForecast.store_id == store, StaffingForecast.slot_at == from_micros(slot)
        )
    )
    return live_board(session, store, now, law, expected or 0.0) | {"usual": expected}
