"""What was shown and proposed, added up in the database to cells of one case mix.

A cell is a clerk × store × three hours of the day × congestion × customer tier × top category × bucket of probability
or score; every suggestion falls in exactly one. The case mix is learnt from cells; what the
screens show is added up by day (`roll_up`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Float, Select, case, cast, false, func, literal, or_, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.customers import Customer
from journey.database import is_sqlite
from journey.local_days import zone
from journey.outcomes import PROPOSED, Confirmation, Outcome
from journey.products import Product
from journey.stores import DEFAULT_TIMEZONE, Clerk, Store
from journey.suggestions import Suggestion, was_shown
from journey.traffic import Traffic

SCORE_BOUND = 2000.0  # a score beyond is of no scale we know
HOUR_MICROS = 3_600_000_000
SECOND_MICROS = 1_000_000
DAY_MICROS = 24 * HOUR_MICROS
ZONE_MICROS = 15 * HOUR_MICROS  # a local day and a UTC day with the same number are at most this far apart
BAND_HOURS = 3
MIX_LEVELS = ("band", "congestion", "tier", "category")
CELL_SCHEMA = {
    "clerk_id": TEXT,
    "store_id": TEXT,
    "band": WHOLE,
    "congestion": WHOLE,
    "tier": TEXT,
    "category": TEXT,
    "bucket": WHOLE,
    "probability": REAL,
    "score": REAL,
    "shown": WHOLE,
    "proposed": WHOLE,
    "accepted": WHOLE,
    "confirmed": WHOLE,
    "first_purchases": WHOLE,
}


def top_category(session: Session) -> ColumnElement[Any]:
    """Return the first level of a product's category («食品 > 菓子» → «食品») as SQL of the session's database."""
    cut = (func.instr if is_sqlite(session) else func.strpos)(Product.category, " > ")
    return case((cut > 0, func.substr(Product.category, 1, cut - 1)), else_=Product.category)


def local_hours(session: Session, column: Any, store_column: Any, *, now: datetime | None = None) -> ColumnElement[Any]:
    """Return hours since the epoch on each store's own clock, as SQL.

    One offset per store, that of *now* (default: the last suggestion): where clocks change for summer time, half of a
    year is an hour off, which shifts a band of hours and never a count.
    """
    usual, odd = _clock_shifts(session, now)
    shift: ColumnElement[Any] = literal(usual, BigInteger)
    if odd:
        shift = case(odd, value=store_column, else_=usual)
    return (cast(column, BigInteger) + shift) // HOUR_MICROS


def on_local_days(session: Session, column: Any, store_column: Any, first: int, last: int) -> ColumnElement[bool]:
    """Return the condition that `local_hours` puts a moment on the days *first* to *last*, as bounds of the moment.

    Bounds are what indexes are made for, and what a database can tell the number of rows from.
    """
    usual, odd = _clock_shifts(session, None)
    moment = cast(column, BigInteger)

    def bounds(shift: int) -> ColumnElement[bool]:
        return moment.between(first * DAY_MICROS - shift, (last + 1) * DAY_MICROS - shift - 1)

    if not odd:
        return bounds(usual)
    stores: dict[int, list[str]] = {}
    for store, shift in odd.items():
        stores.setdefault(shift, []).append(store)
    elsewhere = [store_column.in_(names) & bounds(shift) for shift, names in stores.items()]
    return or_(store_column.not_in(list(odd)) & bounds(usual), *elsewhere)


def _clock_shifts(session: Session, now: datetime | None) -> tuple[int, dict[str, int]]:
    """Return how far (microseconds) the usual clock is ahead of UTC, and the clocks of stores that show another time.

    The last suggestion is looked up store by store, each at one end of an index.
    """
    if now is None:
        shown = select(func.max(Suggestion.shown_at)).where(Suggestion.store_id == Store.store_id)
        latest = select(Store.store_id, Store.timezone, shown.correlate(Store).scalar_subquery())
        known = [(store, zone_name, at) for store, zone_name, at in session.execute(latest)]
        now = max((at for _, _, at in known if at is not None), default=datetime.fromtimestamp(0, tz=UTC))
        zones = {store: zone_name for store, zone_name, _ in known}
    else:
        zones = dict(session.execute(select(Store.store_id, Store.timezone)).all())
    default = _offset_hours(DEFAULT_TIMEZONE, now)
    odd = {store: hours for store, name in zones.items() if (hours := _offset_hours(name, now)) != default}
    return int(default * HOUR_MICROS), {store: int(hours * HOUR_MICROS) for store, hours in odd.items()}


def within_days(day: ColumnElement[Any], moment: Any, days: Collection[int] | None) -> list[ColumnElement[bool]]:
    """Return the conditions that a fact falls on one of these local days (None: on any).

    *day* is its local day as SQL and *moment* its column: rough bounds of the moment come first, for the indexes.
    """
    if days is None:
        return []
    if not days:
        return [false()]
    micros = cast(moment, BigInteger)
    near = micros.between(min(days) * DAY_MICROS - ZONE_MICROS, (max(days) + 1) * DAY_MICROS + ZONE_MICROS)
    return [near, day.in_(sorted(days))]


def _offset_hours(name: str | None, now: datetime) -> float:
    offset = now.astimezone(zone(name)).utcoffset()
    return offset.total_seconds() / 3600 if offset is not None else 0.0


def _chance_bucket() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the score where there is no calibrated probability, and the bucket of either: finer where it is small."""
    chance = Suggestion.probability
    score = case((chance.is_(None), Suggestion.score))
    bucket = case(
        (chance < 0.1, cast(func.round(chance * 100), BigInteger)),
        (chance.is_not(None), cast(func.round(chance * 20 + 10), BigInteger)),
        (score.between(-SCORE_BOUND, SCORE_BOUND), cast(func.round(score * 4 + 10_000), BigInteger)),
        else_=literal(-1, BigInteger),
    )
    return score, bucket


def suggestion_rows(session: Session) -> tuple[Select[Any], dict[str, ColumnElement[Any]]]:
    """Return a select of no columns over every suggestion that somebody answers for, and the columns it may have.

    The clerk is the one who recorded the outcome, else the one to whom the suggestion was shown; suggestions without
    either are nobody's and left out. *confirmed* are those with a row in `confirmations`. `day` counts days since
    1970-01-01 on the store's clock.
    """
    clerk = func.coalesce(Outcome.clerk_id, Suggestion.clerk_id)
    hour = local_hours(session, Suggestion.shown_at, Suggestion.store_id)
    busy = _busy_hours(session)
    score, bucket = _chance_bucket()
    first_place = Suggestion.rank == 1
    columns: dict[str, ColumnElement[Any]] = {
        "clerk_id": clerk,
        "store_id": Suggestion.store_id.expression,
        "day": hour // 24,
        "band": (hour % 24) // BAND_HOURS,
        "congestion": func.coalesce(busy.c.level, -1),
        "tier": Customer.tier.expression,
        "category": top_category(session),
        "bucket": bucket,
        "probability": Suggestion.probability.expression,
        "score": score,
        "service": case((first_place, 1), else_=0),
        "identified": case((first_place & Suggestion.customer_id.is_not(None), 1), else_=0),
        "recorded": case((Outcome.outcome_id.is_not(None), 1), else_=0),
        "proposed": case((Outcome.result.in_(PROPOSED), 1), else_=0),
        "accepted": case((Outcome.result == "bought", 1), else_=0),
        "confirmed": case((Confirmation.suggestion_id.is_not(None), 1), else_=0),
        "first_purchases": case((Confirmation.first_purchase, 1), else_=0),
    }
    statement = (
        select()
        .select_from(Suggestion)
        .outerjoin(
            Outcome,
            (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current & Outcome.retracted_at.is_(None),
        )
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .outerjoin(Customer, Customer.customer_id == Suggestion.customer_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .outerjoin(
            busy,
            (busy.c.store_id == Suggestion.store_id)
            & (busy.c.hour == (cast(Suggestion.shown_at, BigInteger) // HOUR_MICROS)),
        )
        .where(clerk.is_not(None), was_shown())
    )
    return statement, columns


def proposal_cells(
    session: Session, *, start: date | None = None, end: date | None = None, one_in: int = 1
) -> pl.DataFrame:
    """Return the cells (columns of CELL_SCHEMA) of all suggestions shown from *start* to *end*, both days included.

    With *one_in* 10, say, only the sets shown in every tenth second: a sample to learn a case mix from.
    """
    statement, columns = suggestion_rows(session)
    names = ["clerk_id", "store_id", "band", "congestion", "tier", "category", "bucket"]
    counted = ["proposed", "accepted", "confirmed", "first_purchases"]
    statement = statement.add_columns(
        *(columns[name].label(name) for name in (*names, "probability", "score", *counted))
    ).where(Period.of(start, end).covers(Suggestion.shown_at))
    if one_in > 1:
        statement = statement.where(cast(Suggestion.shown_at, BigInteger) // SECOND_MICROS % one_in == 0)
    c = statement.subquery().c
    grouped = [c[name] for name in names]
    cells = select(
        *grouped,
        func.avg(cast(c.probability, Float)),
        func.avg(cast(c.score, Float)),
        func.count(),
        *(func.sum(c[name]) for name in counted),
    ).group_by(*grouped)
    return query_frame(session, cells, CELL_SCHEMA)


def _busy_hours(session: Session) -> Any:
    """Return store × hour (since the epoch, UTC) with its level of congestion: 0 quiet, 1 usual, 2 busy."""
    hour = cast(Traffic.starts_at, BigInteger) // HOUR_MICROS
    entered = (
        select(Traffic.store_id, hour.label("hour"), func.sum(Traffic.entered).label("entered"))
        .group_by(Traffic.store_id, hour)
        .subquery()
    )
    usual = (
        select(entered.c.store_id, func.avg(cast(entered.c.entered, Float)).label("usual"))
        .where(entered.c.entered > 0)
        .group_by(entered.c.store_id)
        .subquery()
    )
    level = case(
        (entered.c.entered < 0.7 * usual.c.usual, 0),
        (entered.c.entered > 1.3 * usual.c.usual, 2),
        else_=1,
    )
    return (
        select(entered.c.store_id, entered.c.hour, level.label("level"))
        .join(usual, usual.c.store_id == entered.c.store_id)
        .subquery("busy")
    )


def home_stores(session: Session) -> dict[str, str]:
    """Return the store that each known clerk belongs to."""
    return dict(session.execute(select(Clerk.clerk_id, Clerk.store_id)).all())
