"""The till's confirmation of suggestions (ID-POS確認済み): which purchase followed which suggestion.

A line of the till confirms at most one suggestion, the latest one shown before it (last touch), so that a product
proposed twice on one day and bought once counts once. A suggestion is confirmed by its first such line.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    MetaData,
    Select,
    Table,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from journey.database import is_sqlite, to_micros
from journey.fact_days import MICROSECONDS, mark_days
from journey.outcomes import Confirmation
from journey.purchases import PosLine
from journey.suggestions import Suggestion

# what the till shows now, beside what is recorded, while the two are compared
FRESH = Table(
    "fresh_confirmations",
    MetaData(),
    *(Column(c.name, c.type, primary_key=c.primary_key) for c in Confirmation.__table__.columns),
    prefixes=["TEMPORARY"],
)


def confirm(session: Session, *, window: timedelta, since: datetime | None = None) -> int:
    """Bring the confirmations of all suggestions shown since a moment (default: of all) up to date; returns how many
    there are in all.

    ``window`` is the attribution window: how long after it was shown a purchase still counts. They are worked out anew
    and compared, which keeps them right after late receipts, merges and erasures; the days of suggestions whose
    confirmation changed are noted for the roll-ups. The caller commits.
    """
    connection = session.connection()
    FRESH.create(connection)
    columns = [column.name for column in FRESH.columns]
    session.execute(insert(FRESH).from_select(columns, _found(window, since)))
    _replace(session, since)
    FRESH.drop(connection)
    return session.scalar(select(func.count()).select_from(Confirmation)) or 0


def confirm_customers(session: Session, customers: Collection[str], *, window: timedelta, now: datetime) -> int:
    """As `confirm`, for a few customers whose receipts have just come and for what was shown to them within the window;
    returns how many confirmations are new. Cheap enough for every message of a till.
    """
    if not customers:
        return 0
    since = now - window
    named = Suggestion.customer_id.in_(customers)
    fresh = {row[0]: row for row in session.execute(_found(window, since, named))}
    shown = select(Suggestion.suggestion_id).where(named, Suggestion.shown_at >= since)
    known = session.scalars(select(Confirmation).where(Confirmation.suggestion_id.in_(shown)))
    kept = {one.suggestion_id: one for one in known}
    new = [row for name, row in fresh.items() if name not in kept]
    gone = [one for name, one in kept.items() if name not in fresh]
    for one in gone:
        session.delete(one)
    names = [column.name for column in Confirmation.__table__.columns]
    if new:  # another message about the same receipt may be stored at this very moment
        insert_new = (sqlite.insert if is_sqlite(session) else postgresql.insert)(Confirmation).on_conflict_do_nothing()
        session.execute(insert_new, [dict(zip(names, row, strict=True)) for row in new])
    session.flush()
    changed = [*(row[0] for row in new), *(one.suggestion_id for one in gone)]
    day = cast(Suggestion.shown_at, BigInteger) // MICROSECONDS
    days = session.scalars(select(func.distinct(day)).where(Suggestion.suggestion_id.in_(changed))).all()
    mark_days(session.connection(), "confirmations", days)
    return len(new)


def _replace(session: Session, since: datetime | None) -> None:
    """Take over what differs from the record, and note the days it touches."""
    kept, fresh = Confirmation.__table__, FRESH
    same = and_(*(fresh.c[column.name] == kept.c[column.name] for column in fresh.columns))
    in_span = kept.c.suggestion_id.in_(_shown_since(since)) if since else true()
    gone = select(kept.c.suggestion_id).where(in_span, ~exists().where(same))
    new = select(fresh.c.suggestion_id).where(~exists().where(same))
    day = cast(Suggestion.shown_at, BigInteger) // MICROSECONDS
    days: set[int] = set()
    for changed in (gone, new):
        days |= set(session.scalars(select(func.distinct(day)).where(Suggestion.suggestion_id.in_(changed))))
    session.execute(delete(Confirmation).where(kept.c.suggestion_id.in_(gone)))
    unknown = ~exists().where(kept.c.suggestion_id == fresh.c.suggestion_id)
    names = [column.name for column in fresh.columns]
    session.execute(insert(Confirmation).from_select(names, select(fresh).where(unknown)))
    mark_days(session.connection(), "confirmations", days)


def _shown_since(since: datetime) -> Select[Any]:
    return select(Suggestion.suggestion_id).where(Suggestion.shown_at >= since)


def _found(window: timedelta, since: datetime | None, whose: ColumnElement[bool] | None = None) -> Select[Any]:
    """What the till shows now, one row per confirmed suggestion; ``whose`` limits the suggestions looked at."""
    shown = Suggestion.shown_at >= (to_micros(since) if since else 0)
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
        .where(shown, true() if whose is None else whose)
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
    return select(
        latest.c.suggestion_id, latest.c.receipt_id, latest.c.line_no, latest.c.sold_at, cast(~bought_before, Boolean)
    ).where(latest.c.nth_of_suggestion == 1)
