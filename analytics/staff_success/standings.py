"""What the staff report says of every clerk over a span of days: worked out from the sums, kept for the usual spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from analytics.case_mix import OFFSETS, CaseMix
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import EPOCH_DAY
from analytics.staff_success import handling
from analytics.staff_success.strengths import strengths_of
from analytics.staff_success.success import MIN_PROPOSALS, StaffSuccess, success_of
from analytics.staff_success.success import SUMS as COUNTS
from journey.clerk_roll_ups import ClerkHandlingDay, ClerkProposalDay, StaffStanding
from journey.stores import Clerk

SPANS = (28, 91, 365)  # days, the last one included, for which standings are kept
EVERYTHING = (-1_000_000, 1_000_000)
FORM = 2  # of a kept standing; raised with its keys, so that what an older build kept is worked out anew
FRAME = ""  # the clerk id of what a span says of all clerks
SUM_SCHEMA = (
    {"clerk_id": TEXT, "store_id": TEXT, "category": TEXT} | dict.fromkeys(COUNTS, WHOLE) | dict.fromkeys(OFFSETS, REAL)
)


@dataclass(frozen=True)
class Standings:
    """*rows* of the report by clerk; *reach* and *strengths* by clerk id; *frame*: what holds for the whole span."""

    rows: list[dict[str, Any]]
    reach: Mapping[str, float]
    strengths: Mapping[str, list[dict[str, Any]]]
    frame: dict[str, Any]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH_DAY).days


def span_of(start: date | None, end: date | None) -> tuple[int, int]:
    """The days from *start* to *end*, both included, None being open, as numbers."""
    return (
        EVERYTHING[0] if start is None else day_number(start),
        EVERYTHING[1] if end is None else day_number(end),
    )


def standings(
    session: Session,
    mix: CaseMix,
    start: date | None,
    end: date | None,
    *,
    store: str | None = None,
    min_proposals: int = MIN_PROPOSALS,
) -> Standings:
    """Return the standings of a span, the kept ones where there are any; *store* only chooses whose rows."""
    span = span_of(start, end)
    if min_proposals == MIN_PROPOSALS:
        kept = select(StaffStanding.clerk_id, StaffStanding.figures).where(
            StaffStanding.first_day == span[0], StaffStanding.last_day == span[1]
        )
        if store is not None:
            kept = kept.where(StaffStanding.store_id.in_([store, FRAME]))
        ordered = kept.order_by(StaffStanding.store_id, StaffStanding.clerk_id)
        documents: dict[str, dict[str, Any]] = dict(session.execute(ordered).all())
        frame = documents.pop(FRAME, {})
        if frame.get("form") == FORM:
            return Standings(
                [one["row"] for one in documents.values()],
                {clerk: one["reach"] for clerk, one in documents.items()},
                {clerk: one["strengths"] for clerk, one in documents.items()},
                frame,
            )
    found = work_out(session, mix, span, min_proposals=min_proposals)
    if store is None:
        return found
    return Standings([r for r in found.rows if r["store_id"] == store], found.reach, found.strengths, found.frame)


def work_out(session: Session, mix: CaseMix, span: tuple[int, int], *, min_proposals: int = MIN_PROPOSALS) -> Standings:
    """Return the standings of all clerks over *span* (local days, first and last) from the sums."""
    sums = category_sums(session, span)
    success = success_of(sums, mix, min_proposals=min_proposals)
    clerks = success.clerks
    handled = _handled(session, span, sums)
    homes = dict(session.execute(select(Clerk.clerk_id, Clerk.store_id)).all())
    home = pl.col("clerk_id").replace_strict(homes, default=None, return_dtype=pl.String)
    clerks = (
        clerks.with_columns(store_id=pl.coalesce(home, pl.col("store_id")))
        .join(handled.drop("recorded"), on="clerk_id", how="left")
        .sort("store_id", "clerk_id")
    )
    fit = success.fit
    strengths: dict[str, list[dict[str, Any]]] = {clerk: [] for clerk in clerks["clerk_id"]}
    if fit is not None:
        for one in strengths_of(sums, fit).to_dicts():
            strengths[one.pop("clerk_id")].append(one)
    reach = {} if fit is None else dict(zip(fit.clerk_ids.tolist(), fit.reach.tolist(), strict=True))
    frame = {
        "form": FORM,
        "funnel": _funnel_facts(success),
        "min_proposals": min_proposals,
        "store_levels": fit.store_levels if fit else {},
        "intercept": fit.intercept if fit else 0.0,
        "chain": _together(clerks, handled),
    }
    return Standings(clerks.to_dicts(), reach, strengths, frame)


def write_standings(session: Session, mix: CaseMix, *, through: date) -> int:
    """Work out the usual spans up to *through* anew and keep them; returns how many there are."""
    last = day_number(through)
    spans = [(last - days + 1, last) for days in SPANS] + [EVERYTHING]
    session.execute(delete(StaffStanding))
    for span in spans:
        found = work_out(session, mix, span)
        rows: list[dict[str, Any]] = [{"clerk_id": FRAME, "store_id": FRAME, "figures": found.frame}]
        rows += [
            {
                "clerk_id": row["clerk_id"],
                "store_id": row["store_id"],
                "figures": {
                    "row": row,
                    "reach": found.reach.get(row["clerk_id"], 1.0),
                    "strengths": found.strengths[row["clerk_id"]],
                },
            }
            for row in found.rows
        ]
        session.execute(insert(StaffStanding), [{"first_day": span[0], "last_day": span[1], **row} for row in rows])
    return len(spans)


def usual_span(days: int, through: date) -> tuple[date, date]:
    """The first and last day of a usual span that ends with the last rolled-up day."""
    return through - timedelta(days=days - 1), through


def category_sums(session: Session, span: tuple[int, int]) -> pl.DataFrame:
    """Return the sums of a span per clerk, store and category (columns of SUM_SCHEMA)."""
    key = (ClerkProposalDay.clerk_id, ClerkProposalDay.store_id, ClerkProposalDay.category)
    columns = (getattr(ClerkProposalDay, name) for name in (*COUNTS, *OFFSETS))
    statement = select(*key, *(func.sum(column) for column in columns)).group_by(*key).order_by(*key)
    if span != EVERYTHING:
        statement = statement.where(ClerkProposalDay.day.between(*span))
    return query_frame(session, statement, SUM_SCHEMA)


def _handled(session: Session, span: tuple[int, int], sums: pl.DataFrame) -> pl.DataFrame:
    columns = (func.sum(getattr(ClerkHandlingDay, name)) for name in handling.SUMS)
    statement = (
        select(ClerkHandlingDay.clerk_id, *columns)
        .where(ClerkHandlingDay.day.between(*span))
        .group_by(ClerkHandlingDay.clerk_id)
        .order_by(ClerkHandlingDay.clerk_id)
    )
    other = query_frame(session, statement, {"clerk_id": TEXT} | handling.KINDS)
    recorded = sums.group_by("clerk_id").agg(pl.col("recorded", "shown").sum())
    return handling.handling_of(recorded.join(other, on="clerk_id", how="left").fill_null(0))


def _together(clerks: pl.DataFrame, handled: pl.DataFrame) -> dict[str, Any]:
    """Return counts of all clerks together and how customers were handled on average: what one is compared with."""
    counted = [name for name in (*COUNTS, "focus_first_purchases") if name in clerks.columns]
    whole = clerks.select(pl.col(counted).sum()).to_dicts()[0]
    if handled.is_empty():
        return whole
    every = handled.with_columns(
        clerk_id=pl.lit(""),
        shown=pl.col("recordable"),
        waited_seconds=(pl.col("seconds_to_attend") * pl.col("attended")).fill_null(0),
        survey_sum=(pl.col("survey_score") * pl.col("survey_n")).fill_null(0),
    )
    return handling.handling_of(every).drop("clerk_id").to_dicts()[0] | whole


def _funnel_facts(success: StaffSuccess) -> dict[str, Any]:
    funnel = success.funnel
    return {
        "overdispersion": funnel.overdispersion if funnel else 1.0,
        "tau2": funnel.tau2 if funnel else 0.0,
        "average": success.average,
        "ratio": funnel.average if funnel else None,
        "spread": success.spread,
    }
