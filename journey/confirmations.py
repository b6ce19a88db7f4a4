"""The till's confirmation of suggestions (ID-POS確認済み): which purchase followed which suggestion.

A line of the till confirms at most one suggestion, the latest one shown before it (last touch), so that a product
proposed twice on one day and bought once counts once. A suggestion is confirmed by its first such line.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Boolean, cast, delete, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from journey.database import to_micros
from journey.outcomes import Confirmation
from journey.purchases import PosLine
from journey.suggestions import Suggestion


def confirm(session: Session, *, window: timedelta, since: datetime | None = None) -> int:
    """Rebuild the confirmations of all suggestions shown since a moment (default: of all); returns how many there are.

    ``window`` is the attribution window: how long after it was shown a purchase still counts. Rebuilding instead of
    adding keeps them right after late receipts, merges and erasures; the caller commits.
    """
    shown = Suggestion.shown_at >= (to_micros(since) if since else 0)
    session.execute(
        delete(Confirmation).where(Confirmation.suggestion_id.in_(select(Suggestion.suggestion_id).where(shown)))
    )
    span = window // timedelta(microseconds=1)
    pairs = (
        select(
            Suggestion.suggestion_id,
            Suggestion.customer_id,
            Suggestion.product_id,
            PosLine.receipt_id,
            PosLine.line_no,
            PosLine.sold_at,
            func.row_number()
            .over(
                partition_by=(PosLine.receipt_id, PosLine.line_no),
                order_by=(Suggestion.shown_at.desc(), Suggestion.rank, Suggestion.suggestion_id),
            )
            .label("nth_of_line"),
        )
        .join(
            PosLine,
            (PosLine.customer_id == Suggestion.customer_id)
            & (PosLine.product_id == Suggestion.product_id)
            & (PosLine.sold_at >= Suggestion.shown_at)
            & (PosLine.sold_at <= Suggestion.shown_at + span)
            & (PosLine.quantity > 0),
        )
        .where(shown)
        .cte("pairs")
    )
    latest = (
        select(
            pairs,
            func.row_number()
            .over(partition_by=pairs.c.suggestion_id, order_by=(pairs.c.sold_at, pairs.c.receipt_id, pairs.c.line_no))
            .label("nth_of_suggestion"),
        )
        .where(pairs.c.nth_of_line == 1)
        .cte("latest")
    )
    earlier = aliased(PosLine)
    bought_before = exists().where(
        earlier.customer_id == latest.c.customer_id,
        earlier.product_id == latest.c.product_id,
        earlier.sold_at < latest.c.sold_at,
        earlier.quantity > 0,
    )
    chosen = select(
        latest.c.suggestion_id, latest.c.receipt_id, latest.c.line_no, latest.c.sold_at, cast(~bought_before, Boolean)
    ).where(latest.c.nth_of_suggestion == 1)
    columns = ["suggestion_id", "receipt_id", "line_no", "sold_at", "first_purchase"]
    session.execute(insert(Confirmation).from_select(columns, chosen))
    return session.scalar(select(func.count()).select_from(Confirmation)) or 0
