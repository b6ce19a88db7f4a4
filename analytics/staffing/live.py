"""The live board of a store: short or quiet at this moment, and what to do about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from analytics.queues import DEFAULT_TARGET, ServiceTarget
from analytics.staffing.judgement import judge, rate_posterior
from analytics.staffing.service_times import ServiceLaw
from journey.database import to_micros
from journey.rosters import Shift
from journey.traffic import Traffic
from journey.visits import Visit

LOOK_BACK = timedelta(minutes=30)
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

    The rate is that of the last half hour at the door, blended with *usual_per_quarter*; without a counter it is the
    usual one. `step` is call_to_floor (with `who` from the back room, or open_counter where nobody is there), release
    (one may leave the floor) or none. `waiting` are customers checked in and not attended yet.
    """
    counted, minutes = session.execute(
        select(func.sum(Traffic.entered), func.sum(Traffic.minutes)).where(
            Traffic.store_id == store, Traffic.starts_at >= now - LOOK_BACK, Traffic.starts_at < now
        )
    ).one()
    duty = session.execute(
        select(Shift.clerk_id, func.coalesce(Shift.duty, "floor"))
        .where(Shift.store_id == store, Shift.starts_at <= now, Shift.ends_at > now)
        .order_by(Shift.clerk_id)
    ).all()
    off = {clerk for clerk, what in duty if what != "floor"}
    floor = [clerk for clerk, what in duty if what == "floor" and clerk not in off]
    back = [clerk for clerk, what in duty if what == "back"]
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
    quarters = float(minutes or 0) / 15
    usual = np.array([max(usual_per_quarter, 1e-6)])
    shape, rate = rate_posterior(np.zeros(1), usual, np.array([USUAL_STRENGTH]))
    shape, rate = shape + float(counted or 0), rate - 1.0 + quarters
    judged = judge(shape, rate, np.array([float(len(floor))]), law, target=target)
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
        "waiting": waiting or 0,
        "on_floor": floor,
        "in_back": back,
        "needed": int(judged.needed[0]),
        "p_short": float(judged.p_short[0]),
        "judgement": verdict,
        "step": step,
        "who": who,
    }
