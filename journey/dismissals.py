"""«Not for this customer»: kept at once, honoured by the next set."""

from __future__ import annotations

from datetime import datetime

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
