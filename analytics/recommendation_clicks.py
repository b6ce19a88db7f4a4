"""How often suggestions shown on the web are clicked: by channel, with interval.

What would make it wrong: a click is curiosity, no purchase; and who did not consent to being recorded clicks unseen,
so the rate is a lower bound.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.rates import rate
from journey.suggestions import Suggestion
from journey.web import WebEvent


def recommendation_clicks(session: Session, period: Period) -> list[dict[str, Any]]:
    """Rows of channel (ec, app), shown, clicked, rate, low, high; suggestions held back by design do not count."""
    clicks = (
        select(WebEvent.content_id.label("suggestion_id"))
        .distinct()
        .where(WebEvent.kind == "recommend_click", WebEvent.content_id.is_not(None))
        .subquery()
    )
    clicked = func.sum(case((clicks.c.suggestion_id.is_not(None), 1), else_=0))
    statement = (
        select(Suggestion.channel, func.count(), clicked)
        .outerjoin(clicks, clicks.c.suggestion_id == Suggestion.suggestion_id)
        .where(Suggestion.channel.is_not(None), period.covers(Suggestion.shown_at))
        .where(func.coalesce(Suggestion.arm, "") != "holdout")
        .group_by(Suggestion.channel)
        .order_by(Suggestion.channel)
    )
    rows = []
    for channel, shown, hits in session.execute(statement):
        share = rate(int(hits), int(shown))
        assert share is not None
        found = {"shown": int(shown), "clicked": int(hits), "rate": share.value, "low": share.low, "high": share.high}
        rows.append({"channel": channel, **found})
    return rows
