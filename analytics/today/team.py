"""A colleague whose proposals succeed beyond what the same customers let expect: somebody to learn from."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from analytics import staff_success
from analytics.today.finding import Finding
from journey.rollups import last_run
from journey.stores import clerk_names

DAYS = 91
ABOVE = ("high_95", "high_998")


def learn(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Who is above expectation; customers are the purchases a week that the others would gain with half of the lead.

    Half, since nobody takes over all of a colleague's way; the lead is that of the low end of the interval.
    """
    run = last_run(session, "staff")
    if run is None:
        return None
    start, end = staff_success.usual_span(DAYS, run.through)
    clerks = staff_success.report(session, store=store, start=start, end=end)["clerks"]
    best = [one for one in clerks if one["flag"] in ABOVE and one["low"] is not None and one["expected"]]
    if not best:
        return None
    first = max(best, key=lambda one: one["low"] - one["expected"])
    others = sum(one["proposed"] for one in clerks if one["flag"] not in ABOVE)
    lead = max(first["low"] - first["expected"], 0.0)
    names = clerk_names(session, store_id=store)
    facts = {"name": names.get(first["clerk_id"], first["clerk_id"]), "rate": first["shrunk_rate"],
             "low": first["low"], "high": first["high"], "expected": first["expected"]}  # fmt: skip
    rows = [
        {"clerk": names.get(one["clerk_id"], one["clerk_id"]), "proposed": one["proposed"],
         "rate": one["shrunk_rate"], "low": one["low"], "high": one["high"], "expected": one["expected"]}
        for one in sorted(best, key=lambda one: names.get(one["clerk_id"], ""))
    ]  # fmt: skip
    weekly = others * 7 / DAYS
    columns = ("clerk", "proposed", "rate", "low", "high", "expected")
    return Finding("learn", lead / 2 * weekly, int(first["proposed"]), facts, columns, rows)
