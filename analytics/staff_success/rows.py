"""The suggestions behind a clerk's figures, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from analytics.period import Period
from analytics.staff_success.proposals import on_local_days, top_category
from analytics.staff_success.standings import span_of
from journey.clerk_roll_ups import ClerkProposalDay
from journey.outcomes import PROPOSED, Confirmation, Outcome
from journey.products import Product
from journey.suggestions import Suggestion, was_shown

FIGURES = ("shown", "recorded", "proposed", "accepted", "confirmed", "first_purchases")
LATE = timedelta(days=60)  # how much later than its suggestion an outcome may have been tapped by another clerk
CURRENT = (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current & Outcome.retracted_at.is_(None)
LATEST_FIRST = (Suggestion.shown_at.desc(), Suggestion.rank, Suggestion.suggestion_id)


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
    """Return the rows that a figure of this clerk counts, the latest first, and how many there are in all.

    The number of more rows than a page holds is that of the sums, which the figure itself shows; before the first
    roll-up the rows are counted.
    """
    narrowed = [
        _narrowed(session, rows, start, end, figure, category)
        for rows in (_shown_to(clerk_id, start, end), _taken_over(clerk_id, start, end))
    ]
    latest = [rows.order_by(*LATEST_FIRST).limit(offset + limit).subquery() for rows in narrowed]
    c = union_all(*(select(rows) for rows in latest)).subquery().c
    page = select(c.suggestion_id).order_by(c.shown_at.desc(), c.rank, c.suggestion_id).limit(limit).offset(offset)
    found = [_row(dict(row)) for row in session.execute(_details(session, page)).mappings()]
    if len(found) < limit and (found or not offset):  # the last page tells the number itself
        return found, offset + len(found)
    total = _summed(session, clerk_id, start, end, figure, category)
    if total is None:
        total = sum(session.scalar(select(func.count()).select_from(rows.subquery())) or 0 for rows in narrowed)
    return found, max(total, offset + len(found) if found else 0)


def _row(values: dict[str, Any]) -> ProposalRow:
    return ProposalRow(**(values | {name: bool(values[name]) for name in ("confirmed", "first_purchase")}))


def _summed(
    session: Session, clerk_id: str, start: date | None, end: date | None, figure: str, category: str | None
) -> int | None:
    """What the roll-up counted for this figure, None where it counted nothing of this clerk in these days."""
    day = ClerkProposalDay
    statement = select(func.sum(getattr(day, figure))).where(
        day.clerk_id == clerk_id, day.day.between(*span_of(start, end))
    )
    if category is not None:
        statement = statement.where(day.category == category)
    return session.scalar(statement)


def _shown_to(clerk_id: str, start: date | None, end: date | None) -> Select[*tuple[Any, ...]]:
    """Suggestions shown to this clerk whose outcome nobody else recorded."""
    near = Period.of(start - timedelta(days=1) if start else None, end + timedelta(days=1) if end else None)
    nobody_else = or_(Outcome.clerk_id.is_(None), Outcome.clerk_id == clerk_id)
    return _keys().where(Suggestion.clerk_id == clerk_id, near.covers(Suggestion.shown_at), nobody_else)


def _taken_over(clerk_id: str, start: date | None, end: date | None) -> Select[*tuple[Any, ...]]:
    """Suggestions shown to somebody else, or to nobody, whose outcome this clerk recorded.

    Apart from `_shown_to`, since an "or" over both indexes would read every suggestion of the chain.
    """
    late = Period.of(start - timedelta(days=1) if start else None, end + LATE if end else None)
    elsewhere = Suggestion.clerk_id.is_distinct_from(clerk_id)
    return _keys().where(Outcome.clerk_id == clerk_id, late.covers(Outcome.occurred_at), elsewhere)


def _keys() -> Select[*tuple[Any, ...]]:
    return (
        select(Suggestion.suggestion_id, Suggestion.shown_at, Suggestion.rank)
        .outerjoin(Outcome, CURRENT)
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
    )


def _details(session: Session, page: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return everything told about the suggestions on a page: only they are looked up in the other tables."""
    chosen = page.subquery()
    return (
        select(
            Suggestion.suggestion_id,
            Suggestion.shown_at,
            Suggestion.store_id,
            Suggestion.product_id,
            Product.name.label("product_name"),
            top_category(session).label("category"),
            Suggestion.rank,
            Suggestion.probability,
            Outcome.outcome_id,
            Outcome.result,
            Outcome.why,
            Confirmation.suggestion_id.is_not(None).label("confirmed"),
            func.coalesce(Confirmation.first_purchase, False).label("first_purchase"),
        )
        .select_from(chosen)
        .join(Suggestion, Suggestion.suggestion_id == chosen.c.suggestion_id)
        .outerjoin(Outcome, CURRENT)
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .order_by(*LATEST_FIRST)
    )


def _narrowed(
    session: Session,
    rows: Select[*tuple[Any, ...]],
    start: date | None,
    end: date | None,
    figure: str,
    category: str | None,
) -> Select[*tuple[Any, ...]]:
    days = span_of(start, end)
    statement = rows.where(was_shown(), on_local_days(session, Suggestion.shown_at, Suggestion.store_id, *days))
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
        named = statement.outerjoin(Product, Product.product_id == Suggestion.product_id)
        statement = named.where(func.coalesce(top_category(session), "") == category)
    return statement
