"""The proposals that stand as examples beside a finding."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.products import Product
from journey.suggestions import Suggestion


@dataclass(frozen=True)
class Example:
    """An accepted proposal: no names of people, neither the customer's nor the clerk's."""

    suggestion_id: str
    shown_at: datetime
    product_name: str | None
    category: str | None
    reason: str | None


def examples(session: Session, suggestion_ids: Collection[str]) -> dict[str, Example]:
    """Return the examples by suggestion id; those that are gone are left out."""
    rows = session.execute(
        select(Suggestion.suggestion_id, Suggestion.shown_at, Product.name, Product.category, Suggestion.reason)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(Suggestion.suggestion_id.in_(suggestion_ids))
    )
    return {row[0]: Example(*row) for row in rows}
