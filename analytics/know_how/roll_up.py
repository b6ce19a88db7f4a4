"""The know-how report of the last weeks, worked out once a day: the screen shows what `report know-how` prints."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from analytics.know_how.cards import effects_kept, keep_effects
from analytics.know_how.report import report
from journey.analysis_results import keep_result, stored_result
from journey.local_days import local_date, zone
from journey.stores import DEFAULT_TIMEZONE

KIND = "know_how"
DAYS = 91


def roll_up(
    session: Session, *, now: datetime, everything: bool = False, timezone: str = DEFAULT_TIMEZONE
) -> dict[str, Any]:
    """Work out findings and effects of cards anew where those kept are of an earlier day. The caller commits."""
    today = local_date(now, zone(None, timezone))
    kept = stored_result(session, KIND, {})
    if kept is not None and not everything and kept.document["end"] == today.isoformat() and effects_kept(session):
        return {"days": 0}
    began = time.perf_counter()
    start = today - timedelta(days=DAYS - 1)
    document = report(session, start=start, end=today) | {"start": start.isoformat(), "end": today.isoformat()}
    keep_result(session, KIND, {}, document, computed_at=now, seconds=time.perf_counter() - began)
    effects = keep_effects(session, today=today, now=now)
    return {"days": DAYS, "practices": len(document["practices"]), "cards": effects}


def findings(session: Session) -> dict[str, Any] | None:
    """The kept report with `computed_at`, None before the first roll-up."""
    kept = stored_result(session, KIND, {})
    return None if kept is None else kept.document | {"computed_at": kept.computed_at}
