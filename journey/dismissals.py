"""«Not for this customer»: kept at once, honoured by the next set."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from journey.errors import Conflict
from journey.suggestions import Dismissal


def dismiss(
    session: Session,
    *,
    dismissal_id: str,
    customer_id: str,
    product_id: str,
    clerk_id: str,
    why: str | None,
    until: datetime | None,
    now: datetime,
) -> tuple[Dismissal, bool]:
    """Keep a dismissal under an id made by the client; the same again changes nothing.

    Raises:
        Conflict: the id exists with other content.
    """
    known = session.get(Dismissal, dismissal_id)
    if known is not None:
        if (known.customer_id, known.product_id, known.clerk_id, known.why) != (customer_id, product_id, clerk_id, why):
            raise Conflict(
                f"dismissal {dismissal_id} exists with other content",
                where="dismissal_id",
                what_to_do="send it under a new id",
            )
        return known, False
    dismissal = Dismissal(
        dismissal_id=dismissal_id,
        customer_id=customer_id,
        product_id=product_id,
        clerk_id=clerk_id,
        why=why,
        dismissed_at=now,
        until=until,
    )
    session.add(dismissal)
    session.flush()
    return dismissal, True


def dismissed_pairs(session: Session, *, now: datetime) -> set[tuple[str, str]]:
    """Customer and product of every dismissal that has not run out."""
    lasting = or_(Dismissal.until.is_(None), Dismissal.until > now)
    return {(row.customer_id, row.product_id) for row in session.execute(
        select(Dismissal.customer_id, Dismissal.product_id).where(lasting)
    )}  # fmt: skip
