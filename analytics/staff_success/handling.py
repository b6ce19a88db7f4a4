"""Quality of handling, beside success and never mixed with it: attention, follow-ups, what customers said.

What is recorded of what was shown comes with the proposals; here is what has tables of its own, added up per day.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Float, Select, case, cast, delete, func, insert, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.rates import wilson
from analytics.staff_success.focus import focus_days
from analytics.staff_success.proposals import DAY_MICROS, HOUR_MICROS, SECOND_MICROS, local_hours, within_days
from journey.clerk_roll_ups import ClerkHandlingDay
from journey.outcomes import FollowUp
from journey.surveys import Answer, Survey
from journey.visits import Visit

SURVEY_WINDOW_MICROS = 48 * HOUR_MICROS
SUMS = ("attended", "waited_seconds", "follow_ups", "kept", "survey_n", "survey_sum", "focus_first_purchases")
KEY = ("clerk_id", "day", "store_id")
KINDS = {name: REAL if name in ("waited_seconds", "survey_sum") else WHOLE for name in SUMS}
KEY_SCHEMA = {"clerk_id": TEXT, "day": WHOLE, "store_id": TEXT}


def handling_of(sums: pl.DataFrame) -> pl.DataFrame:
    """Return one row per clerk of *sums* (clerk_id, recorded, shown, SUMS), null where nothing is known.

    attended and seconds_to_attend (mean), recorded_share of what was shown with its 95 % interval, follow_ups, kept and
    kept_share with its interval, survey_n and survey_score (0–100, one-tap surveys answered within 48 h after a visit
    with this clerk).
    """
    sums = sums.group_by("clerk_id").agg(pl.col("recorded", "shown", *SUMS).sum()).sort("clerk_id")
    known = {"recorded": ("recorded", "shown"), "kept": ("kept", "follow_ups")}
    ends = {name: wilson(sums[a].to_numpy(), sums[b].to_numpy()) for name, (a, b) in known.items()}
    return sums.with_columns(
        recorded_share=_share("recorded", "shown"),
        recorded_low=pl.Series(ends["recorded"][0]),
        recorded_high=pl.Series(ends["recorded"][1]),
        kept_share=_share("kept", "follow_ups"),
        kept_low=pl.Series(ends["kept"][0]),
        kept_high=pl.Series(ends["kept"][1]),
        seconds_to_attend=_share("waited_seconds", "attended"),
        survey_score=_share("survey_sum", "survey_n"),
        recordable=pl.col("shown"),
    ).drop("shown", "waited_seconds", "survey_sum")


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def add_handling_days(session: Session, days: Collection[int] | None) -> None:
    """Add up these local days again (None: all)."""
    gone = delete(ClerkHandlingDay)
    session.execute(gone if days is None else gone.where(ClerkHandlingDay.day.in_(sorted(days))))
    parts = [
        query_frame(session, query, KEY_SCHEMA | {name: KINDS[name] for name in names})
        for names, query in _queries(session, days)
    ]
    parts.append(focus_days(session, days))
    whole = pl.concat(parts, how="diagonal").group_by(KEY).agg(pl.col(SUMS).sum()).sort(KEY)
    for piece in whole.iter_slices(50_000):
        session.execute(insert(ClerkHandlingDay), piece.to_dicts())


def _queries(session: Session, days: Collection[int] | None) -> list[tuple[tuple[str, ...], Select[*tuple[Any, ...]]]]:
    waited = (cast(Visit.attended_at, BigInteger) - cast(Visit.arrived_at, BigInteger)) / float(SECOND_MICROS)
    key, near = _filed(session, Visit.clerk_id, Visit.arrived_at, Visit.store_id, days)
    visits = (
        select(*key, func.count(Visit.attended_at), func.coalesce(func.sum(cast(waited, Float)), 0.0))
        .where(Visit.clerk_id.is_not(None), *near)
        .group_by(*key)
    )
    key, near = _filed(session, FollowUp.clerk_id, FollowUp.created_at, FollowUp.store_id, days)
    follow_ups = select(*key, func.count(), func.count(FollowUp.done_at)).where(*near).group_by(*key)
    width = Answer.scale_max - Answer.scale_min
    score = case((width > 0, 100.0 * (Answer.score - Answer.scale_min) / width))
    key, near = _filed(session, Visit.clerk_id, Answer.answered_at, Visit.store_id, days)
    surveys = (
        select(*key, func.count(score), func.coalesce(func.sum(score), 0.0))
        .select_from(Answer)
        .join(Survey, (Survey.survey_id == Answer.survey_id) & (Survey.kind == "one_tap"))
        .join(
            Visit,
            (Visit.customer_id == Answer.customer_id)
            & (Visit.store_id == Answer.store_id)
            & (Answer.answered_at >= Visit.arrived_at)
            & (cast(Answer.answered_at, BigInteger) <= cast(Visit.arrived_at, BigInteger) + SURVEY_WINDOW_MICROS),
        )
        .where(Visit.clerk_id.is_not(None), *near)
        .group_by(*key)
    )
    return [
        (("attended", "waited_seconds"), visits),
        (("follow_ups", "kept"), follow_ups),
        (("survey_n", "survey_sum"), surveys),
    ]


def _filed(
    session: Session, clerk: Any, moment: Any, store: Any, days: Collection[int] | None
) -> tuple[list[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """Return clerk, local day and store of a fact, and the conditions that it falls on these days."""
    day = local_hours(session, moment, store) // 24
    return [clerk, day, store], within_days(day, moment, days)


def handling_signatures() -> dict[str, Select[*tuple[Any, ...]]]:
    """Return, per table, a select of the UTC day and of what changes whenever the figures of handling do."""
    arrived, attended = cast(Visit.arrived_at, BigInteger), cast(Visit.attended_at, BigInteger)
    waited = func.sum((attended - arrived) // SECOND_MICROS)
    visits = (arrived // DAY_MICROS, func.count(), func.count(Visit.clerk_id), func.count(Visit.attended_at), waited)
    made = cast(FollowUp.created_at, BigInteger) // DAY_MICROS
    answered = cast(Answer.answered_at, BigInteger) // DAY_MICROS
    return {
        "visits": select(*visits).group_by(visits[0]),
        "follow_ups": select(made, func.count(), func.count(FollowUp.done_at)).group_by(made),
        "answers": select(answered, func.count(), func.count(Answer.customer_id), func.sum(Answer.score)).group_by(
            answered
        ),
    }
