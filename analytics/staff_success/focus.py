"""First purchases of focus merchandise (重点商品) that a clerk's suggestion led to."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import polars as pl
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.staff_success.proposals import local_hours, within_days
from journey.outcomes import Confirmation, Outcome
from journey.products import Product
from journey.suggestions import ClerkTarget, Suggestion

SCHEMA = {"clerk_id": TEXT, "day": WHOLE, "store_id": TEXT, "focus_first_purchases": WHOLE}


def focus_days(session: Session, days: Collection[int] | None) -> pl.DataFrame:
    """Return, per clerk, day and store, the confirmed first purchases of a campaign's products within its dates.

    *days* are local days, None all. A purchase that counts for two campaigns counts for each.
    """
    clerk = func.coalesce(Outcome.clerk_id, Suggestion.clerk_id)
    day = local_hours(session, Suggestion.shown_at, Suggestion.store_id) // 24
    found = [pl.DataFrame(schema=SCHEMA)]
    for target in session.scalars(select(ClerkTarget)):
        if target.product_id:
            wanted = Suggestion.product_id == target.product_id
        elif target.category:
            below = Product.category.startswith(f"{target.category} > ", autoescape=True)
            wanted = or_(Product.category == target.category, below)
        else:
            continue
        key = (clerk, day, Suggestion.store_id)
        statement = (
            select(*key, func.count())
            .select_from(Confirmation)
            .join(Suggestion, Suggestion.suggestion_id == Confirmation.suggestion_id)
            .outerjoin(Outcome, (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current)
            .outerjoin(Product, Product.product_id == Suggestion.product_id)
            .where(
                wanted,
                Confirmation.first_purchase,
                clerk.is_not(None),
                Period.of(target.starts_on, target.ends_on).covers(Suggestion.shown_at),
                *within_days(day, Suggestion.shown_at, days),
            )
            .group_by(*key)
        )
        if target.stores:
            statement = statement.where(Suggestion.store_id.in_(target.stores.split("|")))
        found.append(query_frame(session, statement, SCHEMA))
    return pl.concat(found)


def campaigns_digest(session: Session) -> str:
    """Return a text that changes whenever a campaign does: past days then have to be counted anew."""
    rows = session.execute(select(*ClerkTarget.__table__.columns).order_by(ClerkTarget.campaign_id)).all()
    return hashlib.sha256(repr([tuple(map(str, row)) for row in rows]).encode()).hexdigest()[:32]
