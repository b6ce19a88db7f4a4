"""Quality of handling, beside success and never mixed with it: attention, records, follow-ups, what customers said."""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import BigInteger, Float, case, cast, func, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.rates import wilson
from journey.outcomes import FollowUp, Outcome
from journey.suggestions import Suggestion
from journey.surveys import Answer, Survey
from journey.visits import Visit

SURVEY_WINDOW_MICROS = 48 * 3_600_000_000
SECOND_MICROS = 1_000_000


def handling(session: Session, *, start: date | None = None, end: date | None = None) -> pl.DataFrame:
    """Return one row per clerk, null where nothing is known:

    identified (customers served by name), attended and seconds_to_attend (mean), recorded, recordable and
    recorded_share with its 95 % interval, follow_ups and kept, survey_n and survey_score (0–100, one-tap surveys
    answered within 48 h after a visit with this clerk).
    """
    period = Period.of(start, end)
    frames = [
        _visits(session, period),
        _records(session, period),
        _follow_ups(session, period),
        _surveys(session, period),
    ]
    ids = pl.concat([frame.select("clerk_id") for frame in frames]).unique().sort("clerk_id")
    for frame in frames:
        ids = ids.join(frame, on="clerk_id", how="left")
    low, high = wilson(ids["recorded"].fill_null(0).to_numpy(), ids["recordable"].fill_null(0).to_numpy())
    return ids.with_columns(
        recorded_share=pl.col("recorded") / pl.col("recordable"),
        recorded_low=pl.Series(low),
        recorded_high=pl.Series(high),
    )


def _visits(session: Session, period: Period) -> pl.DataFrame:
    waited = (cast(Visit.attended_at, BigInteger) - cast(Visit.arrived_at, BigInteger)) / float(SECOND_MICROS)
    statement = (
        select(
            Visit.clerk_id,
            func.count(func.distinct(Visit.customer_id)),
            func.count(Visit.attended_at),
            func.avg(cast(waited, Float)),
        )
        .where(period.covers(Visit.arrived_at), Visit.clerk_id.is_not(None))
        .group_by(Visit.clerk_id)
    )
    schema = {"clerk_id": TEXT, "identified": WHOLE, "attended": WHOLE, "seconds_to_attend": REAL}
    return query_frame(session, statement, schema)


def _records(session: Session, period: Period) -> pl.DataFrame:
    clerk = func.coalesce(Outcome.clerk_id, Suggestion.clerk_id)
    statement = (
        select(clerk, func.count(Outcome.outcome_id), func.count())
        .select_from(Suggestion)
        .outerjoin(
            Outcome,
            (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current & Outcome.retracted_at.is_(None),
        )
        .where(period.covers(Suggestion.shown_at), clerk.is_not(None))
        .group_by(clerk)
    )
    return query_frame(session, statement, {"clerk_id": TEXT, "recorded": WHOLE, "recordable": WHOLE})


def _follow_ups(session: Session, period: Period) -> pl.DataFrame:
    statement = (
        select(FollowUp.clerk_id, func.count(), func.count(FollowUp.done_at))
        .where(period.covers(FollowUp.created_at))
        .group_by(FollowUp.clerk_id)
    )
    return query_frame(session, statement, {"clerk_id": TEXT, "follow_ups": WHOLE, "kept": WHOLE})


def _surveys(session: Session, period: Period) -> pl.DataFrame:
    width = Answer.scale_max - Answer.scale_min
    score = case((width > 0, 100.0 * (Answer.score - Answer.scale_min) / width))
    statement = (
        select(Visit.clerk_id, func.count(score), func.avg(score))
        .select_from(Answer)
        .join(Survey, (Survey.survey_id == Answer.survey_id) & (Survey.kind == "one_tap"))
        .join(
            Visit,
            (Visit.customer_id == Answer.customer_id)
            & (Visit.store_id == Answer.store_id)
            & (Answer.answered_at >= Visit.arrived_at)
            & (cast(Answer.answered_at, BigInteger) <= cast(Visit.arrived_at, BigInteger) + SURVEY_WINDOW_MICROS),
        )
        .where(period.covers(Answer.answered_at), Visit.clerk_id.is_not(None))
        .group_by(Visit.clerk_id)
    )
    return query_frame(session, statement, {"clerk_id": TEXT, "survey_n": WHOLE, "survey_score": REAL})
