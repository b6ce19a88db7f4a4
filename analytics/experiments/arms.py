"""Outcomes per randomised arm by intention to treat: a customer counts in the arm he was given, come what may."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Float, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.outcomes import Confirmation, Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.suggestions import ClerkTarget, Suggestion

CONTROLS = ("holdout", "hold-out", "hold_out", "control", "none")
SUM_SCHEMA = {"arm": TEXT, "n": WHOLE, "total": REAL, "squares": REAL}


def arm_sums(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> dict[str, pl.DataFrame]:
    """Return, per metric, a frame of arm, n (customers), total and squares (sums over customers).

    `bought`: share of a customer's suggestions that the till confirms – or, where no till has confirmed anything, that
    a clerk recorded as bought. `spend`: money from the first suggestion on. `focus_first_purchase`: customers new to a
    campaign's merchandise who bought it within its dates (one metric over all campaigns). Customers who were logged in
    two arms are in none.
    """
    period = Period.of(start, end)
    units = _units(session, store, period)
    found = {"bought": query_frame(session, _by_arm(units.c.arm, units.c.value).select_from(units), SUM_SCHEMA)}
    found["spend"] = query_frame(session, _spend(units, period), SUM_SCHEMA)
    campaigns = list(campaign_sums(session, store=store, start=start, end=end).values())
    if campaigns:
        added = pl.concat(campaigns).group_by("arm").agg(pl.col("n", "total", "squares").sum()).sort("arm")
        found["focus_first_purchase"] = added
    return found


def campaign_sums(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> dict[tuple[str, str], pl.DataFrame]:
    """Return (campaign_id, name) → arm, n, total and squares of first purchases of its merchandise."""
    units = _units(session, store, Period.of(start, end))
    targets = session.scalars(select(ClerkTarget).order_by(ClerkTarget.starts_on, ClerkTarget.campaign_id)).all()
    return {
        (target.campaign_id, target.name): frame
        for target in targets
        if (frame := _first_purchases(session, units, target)) is not None
    }


def _units(session: Session, store: str | None, period: Period) -> Any:
    """Customers with their arm, the first moment in it, and the share of their suggestions that was bought."""
    by_till = session.scalar(select(Confirmation.suggestion_id).limit(1)) is not None
    hit = Confirmation.suggestion_id.is_not(None) if by_till else Outcome.result == "bought"
    customers = (
        select(
            Suggestion.customer_id,
            func.min(Suggestion.arm).label("arm"),
            cast(func.min(Suggestion.shown_at), BigInteger).label("since"),
            (cast(func.sum(case((hit, 1), else_=0)), Float) / func.count()).label("value"),
        )
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .outerjoin(
            Outcome,
            and_(Outcome.suggestion_id == Suggestion.suggestion_id, Outcome.current, Outcome.retracted_at.is_(None)),
        )
        .where(period.covers(Suggestion.shown_at), Suggestion.arm.is_not(None), Suggestion.customer_id.is_not(None))
        .group_by(Suggestion.customer_id)
        .having(func.min(Suggestion.arm) == func.max(Suggestion.arm))
    )
    if store is not None:
        customers = customers.where(Suggestion.store_id == store)
    return customers.cte("units")


def _by_arm(arm: ColumnElement[Any], value: ColumnElement[Any]) -> Select[Any]:
    return select(arm, func.count(), func.sum(value), func.sum(value * value)).group_by(arm).order_by(arm)


def _spend(units: Any, period: Period) -> Select[Any]:
    # An open end is the end of the data for everybody, so both arms have had the same time.
    amount = func.coalesce(func.sum(cast(PosLine.amount, Float)), 0.0) / 10_000.0
    per_customer = (
        select(units.c.arm, amount.label("value"))
        .select_from(units)
        .outerjoin(
            PosLine,
            and_(
                PosLine.customer_id == units.c.customer_id,
                cast(PosLine.sold_at, BigInteger) >= units.c.since,
                Period(None, period.end).covers(PosLine.sold_at),
            ),
        )
        .group_by(units.c.customer_id, units.c.arm)
        .subquery()
    )
    return _by_arm(per_customer.c.arm, per_customer.c.value).select_from(per_customer)


def _first_purchases(session: Session, units: Any, target: ClerkTarget) -> pl.DataFrame | None:
    """Return the sums of first purchases in a campaign, over customers who had never bought its merchandise."""
    campaign = Period.of(target.starts_on, target.ends_on)
    if target.product_id:
        wanted: ColumnElement[bool] = PosLine.product_id == target.product_id
    elif target.category:
        below = Product.category.startswith(f"{target.category} > ", autoescape=True)
        wanted = or_(Product.category == target.category, below)
    else:
        return None
    first = (
        select(PosLine.customer_id, cast(func.min(PosLine.sold_at), BigInteger).label("at"))
        .outerjoin(Product, Product.product_id == PosLine.product_id)
        .where(wanted, PosLine.quantity > 0, PosLine.customer_id.is_not(None))
        .group_by(PosLine.customer_id)
        .subquery()
    )
    bought = case((first.c.at <= (campaign.end or 0), 1.0), else_=0.0)
    statement = (
        _by_arm(units.c.arm, bought)
        .select_from(units)
        .outerjoin(first, first.c.customer_id == units.c.customer_id)
        .where(
            units.c.since < campaign.end,
            or_(first.c.at.is_(None), and_(first.c.at >= (campaign.start or 0), first.c.at >= units.c.since)),
        )
    )
    return query_frame(session, statement, SUM_SCHEMA)
