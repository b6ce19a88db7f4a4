"""First purchases of focus merchandise (重点商品) that a clerk's suggestion led to."""

from __future__ import annotations

from collections import Counter
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from analytics.period import Period
from journey.outcomes import Confirmation, Outcome
from journey.products import Product
from journey.suggestions import ClerkTarget, Suggestion


def focus_first_purchases(session: Session, *, start: date | None = None, end: date | None = None) -> Counter[str]:
    """Return, per clerk, the confirmed first purchases of a campaign's products within its dates and stores.

    A purchase that counts for two campaigns counts for each.
    """
    found: Counter[str] = Counter()
    clerk = func.coalesce(Outcome.clerk_id, Suggestion.clerk_id)
    for target in session.scalars(select(ClerkTarget)):
        if target.product_id:
            wanted = Suggestion.product_id == target.product_id
        elif target.category:
            below = Product.category.startswith(f"{target.category} > ", autoescape=True)
            wanted = or_(Product.category == target.category, below)
        else:
            continue
        statement = (
            select(clerk, func.count())
            .select_from(Confirmation)
            .join(Suggestion, Suggestion.suggestion_id == Confirmation.suggestion_id)
            .outerjoin(Outcome, (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current)
            .outerjoin(Product, Product.product_id == Suggestion.product_id)
            .where(
                wanted,
                Confirmation.first_purchase,
                clerk.is_not(None),
                Period.of(start, end).covers(Suggestion.shown_at),
                Period.of(target.starts_on, target.ends_on).covers(Suggestion.shown_at),
            )
            .group_by(clerk)
        )
        if target.stores:
            statement = statement.where(Suggestion.store_id.in_(target.stores.split("|")))
        found.update(dict(session.execute(statement).all()))
    return found
