"""The suggestions behind a clerk's figures, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.staff_success.proposals import local_hours, top_category
from analytics.staff_success.standings import span_of
from journey.outcomes import PROPOSED, Confirmation, Outcome
from journey.products import Product
from journey.suggestions import Suggestion, was_shown

FIGURES = ("shown", "recorded", "proposed", "accepted", "confirmed", "first_purchases")
LATE = timedelta(days=60)  # how much later than its suggestion an outcome may have been tapped by another clerk


@dataclass(frozen=True)
class ProposalRow:
    """One suggestion with what came of it; ``outcome_id`` and ``result`` are empty where nothing was recorded."""

    suggestion_id: str
    shown_at: datetime
    store_id: str
    product_id: str
    product_name: str | None
    category: str | None
    rank: int
    probability: float | None
    outcome_id: str | None
    result: str | None
    why: str | None
    confirmed: bool
    first_purchase: bool


def proposal_rows(
    session: Session,
    clerk_id: str,
    start: date | None,
    end: date | None,
    *,
    figure: str = "shown",
    category: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[ProposalRow], int]:
    """Return the rows that a figure of this clerk counts, the latest first, and how many there are in all."""
    statement = _behind(session, clerk_id, start, end, figure, category)
    ordered = statement.order_by(Suggestion.shown_at.desc(), Suggestion.rank, Suggestion.suggestion_id)
    counted = ordered.add_columns(func.count().over().label("total")).limit(limit).offset(offset)
    rows = [dict(row) for row in session.execute(counted).mappings()]
    if rows or not offset:
        total = int(rows[0]["total"]) if rows else 0
    else:  # a page beyond the last one
        total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    return [_row(row) for row in rows], total


def _row(values: dict[str, Any]) -> ProposalRow:
    flags = {name: bool(values[name]) for name in ("confirmed", "first_purchase")}
    return ProposalRow(**({name: value for name, value in values.items() if name != "total"} | flags))


def _behind(
    session: Session, clerk_id: str, start: date | None, end: date | None, figure: str, category: str | None
) -> Select[Any]:
    near = Period.of(start - timedelta(days=1) if start else None, end + timedelta(days=1) if end else None)
    late = Period.of(start - timedelta(days=1) if start else None, end + LATE if end else None)
    # By clerk through the two indexes; an "or" over both would read every suggestion of the chain.
    shown = select(Suggestion.suggestion_id).where(Suggestion.clerk_id == clerk_id, near.covers(Suggestion.shown_at))
    tapped = select(Outcome.suggestion_id).where(
        Outcome.clerk_id == clerk_id, Outcome.current, late.covers(Outcome.occurred_at)
    )
    mine = shown.union(tapped).subquery()
    day = local_hours(session, Suggestion.shown_at, Suggestion.store_id) // 24
    first, last = span_of(start, end)
    top = top_category(session)
    statement = (
        select(
            Suggestion.suggestion_id,
            Suggestion.shown_at,
            Suggestion.store_id,
            Suggestion.product_id,
            Product.name.label("product_name"),
            top.label("category"),
            Suggestion.rank,
            Suggestion.probability,
            Outcome.outcome_id,
            Outcome.result,
            Outcome.why,
            Confirmation.suggestion_id.is_not(None).label("confirmed"),
            func.coalesce(Confirmation.first_purchase, False).label("first_purchase"),
        )
        .select_from(mine)
        .join(Suggestion, Suggestion.suggestion_id == mine.c.suggestion_id)
        .outerjoin(
            Outcome,
            (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current & Outcome.retracted_at.is_(None),
        )
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(func.coalesce(Outcome.clerk_id, Suggestion.clerk_id) == clerk_id, was_shown())
        .where(day.between(first, last))
    )
    conditions = {
        "shown": None,
        "recorded": Outcome.outcome_id.is_not(None),
        "proposed": Outcome.result.in_(PROPOSED),
        "accepted": Outcome.result == "bought",
        "confirmed": Confirmation.suggestion_id.is_not(None),
        "first_purchases": Confirmation.first_purchase,
    }
    condition = conditions[figure]
    if condition is not None:
        statement = statement.where(condition)
    if category is not None:
        statement = statement.where(func.coalesce(top, "") == category)
    return statement
