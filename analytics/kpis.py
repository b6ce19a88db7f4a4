"""KPIs that actions are measured by, as single observations per store: who, where, when, how much.

Names: ``csat:TOUCHPOINT`` (satisfaction, 0–100), ``overall``, ``head``, ``heart`` or any other survey question
(0–100), ``nps`` (points), ``acceptance`` (share of proposals bought), ``proposal`` (share of shown suggestions
proposed), ``theme:NAME`` (share of comments that complain about it), ``sales``, ``receipts`` and ``customers`` (per
store and day, compared as logarithms so that large and small stores weigh alike), ``spend`` (the same per customer and
day) and ``web_to_store`` (share of known customers' sessions that a visit to a store follows within WEB_DAYS).
``@SURVEY`` behind a question keeps the answers of one survey: ``csat:store@ONETAP`` leaves out those asked without a
visit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Float, and_, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.answers import HEAD, HEART, answer_sheets
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.nps import DETRACTOR_TO, PROMOTER_FROM
from analytics.passages import followed
from analytics.period import DAY_MICROS, Period
from analytics.touches import arrival_moments, purchase_moments, record_end
from analytics.voice import read_comments
from analytics.web_record import web_tally
from analytics.words import lexicon_rows
from journey.database import MONEY_SCALE
from journey.errors import InputError
from journey.outcomes import PROPOSED, Outcome
from journey.purchases import PosLine
from journey.questionnaires import TOUCHPOINTS
from journey.suggestions import Suggestion
from journey.surveys import Answer

WEB_DAYS = 7
OBSERVED = {"unit": pl.String, "person": pl.String, "at": pl.Int64, "value": pl.Float64}
GENERAL = (
    "overall", "heart", "head", "nps", "acceptance", "proposal", "web_to_store", "sales", "receipts", "customers",
    "spend",
)  # fmt: skip
"""KPIs that every chain has."""

_HEADS = ("acceptance", "proposal", "sales", "receipts", "customers")


@dataclass(frozen=True)
class Kpi:
    """A KPI: its name, the unit of its effect, and whether less is better.

    unit: "points" (0–100 scores and NPS), "share" (0–1) or "relative" (0.05 is five per cent more).
    """

    name: str
    unit: str
    less_is_better: bool = False

    @classmethod
    def named(cls, name: str) -> Kpi:
        """The KPI of a name.

        Raises:
            InputError: the name is empty.
        """
        if not name.strip():
            raise InputError(
                "a KPI needs a name", what_to_do=f"give csat:TOUCHPOINT, nps, a question, or one of {_HEADS}"
            )
        if name in ("sales", "receipts", "customers", "spend"):
            return cls(name, "relative")
        if name in ("acceptance", "proposal", "web_to_store"):
            return cls(name, "share")
        return cls(name, "share", less_is_better=True) if name.startswith("theme:") else cls(name, "points")

    def observations(self, session: Session, period: Period) -> pl.DataFrame:
        """What is on record of the KPI: unit (store), person, at (microseconds), value; logarithms where relative."""
        reader = _READERS.get(self.name)
        if reader is not None:
            return reader(session, period)
        if self.name.startswith("theme:"):
            return _complaints(session, period, self.name.removeprefix("theme:"))
        return _scores(session, period, self.name)


def _scores(session: Session, period: Period, name: str) -> pl.DataFrame:
    name, _, survey = name.partition("@")
    sheets = answer_sheets(session, period).filter(pl.col("score").is_not_null())
    if survey:
        sheets = sheets.filter(pl.col("survey_id") == survey)
    value = pl.col("score")
    if name.startswith("csat:"):
        chosen = (pl.col("question") == "touchpoint") & (pl.col("touchpoint") == name.removeprefix("csat:"))
    elif name in ("head", "heart"):
        chosen = pl.col("question").str.starts_with(HEAD if name == "head" else HEART)
    else:
        chosen = pl.col("question") == name
        if name == "nps":
            above, below = pl.col("ten") >= PROMOTER_FROM, pl.col("ten") <= DETRACTOR_TO
            value = 100.0 * (above.cast(pl.Float64) - below.cast(pl.Float64))
    # A sheet of several questions is one observation.
    grouped = sheets.filter(chosen).group_by("response_id").agg(
        pl.col("store_id").first().alias("unit"),
        pl.col("person").first(),
        pl.col("answered_at").first().alias("at"),
        value.mean().alias("value"),
    )  # fmt: skip
    return grouped.select(*OBSERVED).sort("at", "person")


def _complaints(session: Session, period: Period, theme: str) -> pl.DataFrame:
    written = answer_sheets(session, period).filter(pl.col("comment").str.strip_chars().fill_null("") != "")
    written = written.sort("response_id", "touchpoint").unique(["response_id", "comment"], maintain_order=True)
    read = read_comments(written["comment"].to_list())
    about = read["themes"].list.contains(theme) & (read["label"] == "negative")
    return written.with_columns(unit="store_id", at="answered_at", value=about.cast(pl.Float64)).select(*OBSERVED)


def _taps(session: Session, period: Period, acceptance: bool) -> pl.DataFrame:
    hit = Outcome.result == "bought" if acceptance else Outcome.result.in_(PROPOSED)
    statement = (
        select(
            Suggestion.store_id,
            func.coalesce(Suggestion.customer_id, Outcome.outcome_id),
            type_coerce(Outcome.occurred_at, BigInteger),
            case((hit, 1.0), else_=0.0),
        )
        .join(Suggestion, Suggestion.suggestion_id == Outcome.suggestion_id)
        .where(period.covers(Outcome.occurred_at), Outcome.current)
    )
    if acceptance:
        statement = statement.where(Outcome.result.in_(PROPOSED))
    return query_frame(session, statement, OBSERVED)


def _daily(session: Session, period: Period, measure: Any) -> pl.DataFrame:
    statement = (
        select(PosLine.store_id, PosLine.local_day, cast(measure, Float))
        .where(and_(period.covers(PosLine.sold_at)))
        .group_by(PosLine.store_id, PosLine.local_day)
    )
    frame = query_frame(session, statement, {"unit": TEXT, "day": WHOLE, "total": REAL}).filter(pl.col("total") > 0)
    # Days of one week hang together as answers of one person do.
    return frame.select(
        "unit",
        (pl.col("day") // 7).cast(pl.String).alias("person"),
        (pl.col("day") * DAY_MICROS).alias("at"),
        pl.col("total").log().alias("value"),
    )


def _spend(session: Session, period: Period) -> pl.DataFrame:
    """What each customer spent on a day in a store, as logarithms."""
    statement = (
        select(PosLine.store_id, PosLine.customer_id, PosLine.local_day, cast(_SALES, Float))
        .where(period.covers(PosLine.sold_at), PosLine.customer_id.is_not(None))
        .group_by(PosLine.store_id, PosLine.customer_id, PosLine.local_day)
    )
    schema = {"unit": TEXT, "customer_id": TEXT, "day": WHOLE, "total": REAL}
    frame = query_frame(session, statement, schema).filter(pl.col("total") > 0)
    return frame.select(
        "unit",
        (pl.lit("c:") + pl.col("customer_id")).alias("person"),
        (pl.col("day") * DAY_MICROS).alias("at"),
        pl.col("total").log().alias("value"),
    )


def _web_to_store(session: Session, period: Period) -> pl.DataFrame:
    """Sessions of known customers; the web is one unit, as who does not come to a store comes to none of them."""
    later = Period(period.start, None if period.end is None else period.end + WEB_DAYS * DAY_MICROS)
    met = pl.concat([purchase_moments(session, later, counter_only=True), arrival_moments(session, later)])
    sessions = web_tally(session, period).known_sessions().select("customer_id", "at")
    came = followed(sessions, met, WEB_DAYS, record_end(session) or 0)
    return came.select(
        pl.lit("web").alias("unit"),
        (pl.lit("c:") + pl.col("customer_id")).alias("person"),
        "at",
        pl.col("came").alias("value"),
    )


_SALES = func.sum(type_coerce(PosLine.amount, BigInteger)) / float(MONEY_SCALE)
_READERS: dict[str, Callable[[Session, Period], pl.DataFrame]] = {
    "acceptance": lambda session, period: _taps(session, period, True),
    "proposal": lambda session, period: _taps(session, period, False),
    "sales": lambda session, period: _daily(session, period, _SALES),
    "receipts": lambda session, period: _daily(session, period, func.count(func.distinct(PosLine.receipt_id))),
    "spend": _spend,
    "web_to_store": _web_to_store,
    "customers": lambda session, period: _daily(session, period, func.count(func.distinct(PosLine.customer_id))),
}


def known_kpis(session: Session) -> list[str]:
    """What an action can be measured by here: satisfaction per touchpoint, the general ones, complaints."""
    asked = select(Answer.touchpoint).where(Answer.question == "touchpoint", Answer.touchpoint != "").distinct()
    touchpoints = sorted({*session.scalars(asked), *TOUCHPOINTS})
    themes = dict.fromkeys(row["theme"] for row in lexicon_rows("themes.csv"))
    return [*(f"csat:{name}" for name in touchpoints), *GENERAL, *(f"theme:{name}" for name in themes)]
