"""The One ID report: coverage, proposals to link and to merge, and what many people share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from analytics.one_id.borrowed import borrowed_cards
from analytics.one_id.cards import shared_cards
from analytics.one_id.cookies import logins, pairs, shared, unlinked
from analytics.one_id.coverage import coverage, totals
from analytics.one_id.doubles import doubles
from analytics.period import Period
from journey.stores import DEFAULT_TIMEZONE

COUPLE_DAYS = 30
"""Two customers under one cookie speak for one person only if this close to each other."""


def report(
    session: Session,
    *,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """The ``one-id`` report.

    Keys: coverage [{what, channel, month, n, tied, rate, low, high}], totals (the same over all months), doubles
    [{a, b, score, level, evidence}], links [{value, customer_id, logins, anonymous}], shared_cookies [{value,
    customers, logins}], shared_cards [{customer_id, two_places, busiest_day, users}], notes.
    """
    period = Period.of(start, end, timezone)
    months = coverage(session, period)
    known = logins(session, period)
    return {
        "coverage": months,
        "totals": totals(months),
        "doubles": doubles(session, pairs(known, days=COUPLE_DAYS)),
        "links": unlinked(session, known),
        "shared_cookies": shared(known),
        "shared_cards": shared_cards(session, period, borrowed_cards(session, period)),
        "notes": [] if months else ["Nothing is recorded in this period; import receipts or web events."],
    }
