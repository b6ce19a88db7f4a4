"""How much of what happened is tied to a person: receipts, web events and answers, by channel and month.

What would make it wrong: an event tied to the wrong person counts as tied; that is what the lists of shared identifiers
and of possible doubles are for.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import BigInteger, case, distinct, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import DAY_MICROS, Period
from analytics.rates import wilson
from journey.purchases import PosLine
from journey.surveys import Answer
from journey.web import WebEvent

RECEIPTS, EVENTS, ANSWERS = "receipts", "web_events", "answers"
NOT_BROWSING = ("mail_sent", "purchase", "checkin")
"""Events that a system makes for a known customer; counting them would flatter the web."""

_COUNTS = {"what": TEXT, "channel": TEXT, "day": WHOLE, "n": WHOLE, "tied": WHOLE}


def coverage(session: Session, period: Period) -> list[dict[str, Any]]:
    """One row per kind of fact, channel and month: n, tied, rate with its interval (Wilson)."""
    days = pl.concat(
        [query_frame(session, one, _COUNTS) for one in (_receipts(period), _events(period), _answers(period))]
    )
    if days.is_empty():
        return []
    month = (pl.col("day") * DAY_MICROS).cast(pl.Datetime("us")).dt.strftime("%Y-%m")
    months = days.group_by("what", "channel", month.alias("month")).agg(pl.col("n").sum(), pl.col("tied").sum())
    return _with_rates(months.sort("what", "channel", "month"))


def totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same over all months, by kind of fact and channel."""
    if not rows:
        return []
    both = pl.DataFrame(rows).group_by("what", "channel").agg(pl.col("n").sum(), pl.col("tied").sum())
    return _with_rates(both.sort("what", "n", descending=[False, True]))


def _with_rates(counts: pl.DataFrame) -> list[dict[str, Any]]:
    low, high = wilson(counts["tied"].to_numpy(), counts["n"].to_numpy())
    rated = counts.with_columns(rate=pl.col("tied") / pl.col("n"), low=pl.Series(low), high=pl.Series(high))
    return rated.to_dicts()


def _receipts(period: Period) -> Any:
    channel = func.coalesce(PosLine.channel, "store")
    tied = case((PosLine.customer_id.is_not(None), PosLine.receipt_id))
    return (
        select(
            literal(RECEIPTS), channel, PosLine.local_day, func.count(distinct(PosLine.receipt_id)),
            func.count(distinct(tied)),
        )
        .where(period.covers(PosLine.sold_at))
        .group_by(channel, PosLine.local_day)
    )  # fmt: skip


def _events(period: Period) -> Any:
    day = type_coerce(WebEvent.occurred_at, BigInteger) // DAY_MICROS
    return (
        select(literal(EVENTS), literal("web"), day, func.count(), func.count(WebEvent.customer_id))
        .where(period.covers(WebEvent.occurred_at), WebEvent.kind.not_in(NOT_BROWSING))
        .group_by(day)
    )


def _answers(period: Period) -> Any:
    day = type_coerce(Answer.answered_at, BigInteger) // DAY_MICROS
    return (
        select(literal(ANSWERS), literal("survey"), day, func.count(), func.count(Answer.customer_id))
        .where(period.covers(Answer.answered_at))
        .group_by(day)
    )
