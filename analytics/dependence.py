"""Dependence on a single touchpoint, and what a store that closes or shortens its hours would put at stake.

Question: whose tie to us hangs on one thread, and what could take over? The figures are counts and sums of the record,
not a forecast: customers who already buy elsewhere show where sales could go; those who do not are at stake.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Float, case, cast, func, literal, or_, select, type_coerce, union
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.sessions import BROWSING
from journey.database import MONEY_SCALE, from_micros
from journey.errors import InputError, NotFound
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE, Store
from journey.visits import Contact
from journey.web import WebEvent

_HOUR_MICROS = 3_600_000_000


def single_touchpoint(purchases: pl.DataFrame, others: pl.DataFrame) -> dict[str, Any]:
    """Share of buying customers, and of their sales, that hang on one touchpoint.

    purchases: customer_id, touchpoint, sales, one row per customer and touchpoint. others: customer_id of customers
    also met away from the tills (browsing, contact centre). A customer hangs on one touchpoint who buys at one only
    and is met nowhere else.
    """
    each = purchases.group_by("customer_id").agg(
        pl.col("touchpoint").n_unique().alias("places"), pl.col("touchpoint").first(), pl.col("sales").sum()
    )
    elsewhere = pl.col("customer_id").is_in(others["customer_id"].unique().implode())
    alone = each.filter((pl.col("places") == 1) & elsewhere.not_())
    sales = float(each["sales"].sum())
    by_place = alone.group_by("touchpoint").agg(pl.len().alias("customers"), pl.col("sales").sum())
    return {
        "customers": each.height,
        "customer_share": alone.height / each.height if each.height else None,
        "sales_share": float(alone["sales"].sum()) / sales if sales > 0 else None,
        "by_touchpoint": by_place.sort("customers", "touchpoint", descending=[True, False]).to_dicts(),
    }


def closure(purchases: pl.DataFrame, others: pl.DataFrame, touchpoint: str) -> dict[str, Any]:
    """What goes when a touchpoint goes. Frames as in single_touchpoint.

    ``customers`` and ``sales`` of the touchpoint; ``sole``: customers who buy nowhere else, with their sales, and how
    many of them are met on the web or by the contact centre and so could be won for another channel; ``takeover``:
    where the customers who do buy elsewhere buy, with what they spend here split as they split their other spending.
    at_stake_low counts the sales of sole customers whom nothing else reaches, at_stake_high those of all sole
    customers.
    """
    here = purchases.filter(pl.col("touchpoint") == touchpoint).select("customer_id", pl.col("sales").alias("here"))
    away = purchases.filter(
        (pl.col("touchpoint") != touchpoint) & pl.col("customer_id").is_in(here["customer_id"].implode())
    )
    sole = here.filter(pl.col("customer_id").is_in(away["customer_id"].implode()).not_())
    reached = sole.filter(pl.col("customer_id").is_in(others["customer_id"].unique().implode()))
    spread = away.join(here, on="customer_id").with_columns(
        weight=pl.max_horizontal(pl.col("sales"), 0.0)
        / pl.max_horizontal(pl.col("sales"), 0.0).sum().over("customer_id")
    )
    takeover = spread.group_by("touchpoint").agg(
        pl.col("customer_id").n_unique().alias("customers"),
        (pl.col("weight").fill_nan(0.0) * pl.col("here")).sum().alias("sales"),
    )
    lost = float(sole["here"].sum())
    return {
        "touchpoint": touchpoint,
        "customers": here.height,
        "sales": float(here["here"].sum()),
        "sole": {"customers": sole.height, "sales": lost, "reachable": reached.height},
        "at_stake_low": lost - float(reached["here"].sum()),
        "at_stake_high": lost,
        "takeover": takeover.sort("sales", "touchpoint", descending=[True, False]).to_dicts(),
    }


def purchases_by_touchpoint(
    session: Session, period: Period, *, part: ColumnElement[bool] | None = None, part_name: str = ""
) -> pl.DataFrame:
    """Net sales of identified customers per touchpoint: a store's id for counter sales, else ec or app.

    ``part`` splits the lines it holds for off as a touchpoint of their own (the hours that would go).
    """
    place = case((PosLine.channel.in_(("ec", "app")), PosLine.channel), else_=PosLine.store_id)
    touchpoint = place if part is None else case((part, literal(part_name)), else_=place)
    statement = (
        select(
            PosLine.customer_id,
            touchpoint.label("touchpoint"),
            cast(func.sum(type_coerce(PosLine.amount, BigInteger)), Float),
            func.count(),
        )
        .where(period.covers(PosLine.sold_at), PosLine.customer_id.is_not(None))
        .group_by(PosLine.customer_id, "touchpoint")
    )
    frame = query_frame(session, statement, {"customer_id": TEXT, "touchpoint": TEXT, "sales": REAL, "lines": WHOLE})
    return frame.with_columns(pl.col("sales") / MONEY_SCALE)


def met_elsewhere(session: Session, period: Period) -> pl.DataFrame:
    """customer_id of those who browse or are in touch with the contact centre."""
    browse = select(WebEvent.customer_id).where(
        period.covers(WebEvent.occurred_at), WebEvent.customer_id.is_not(None), WebEvent.kind.in_(BROWSING)
    )
    contact = select(Contact.customer_id).where(period.covers(Contact.started_at), Contact.customer_id.is_not(None))
    both = union(browse, contact).subquery()
    return query_frame(session, select(both.c.customer_id), {"customer_id": TEXT})


def closure_report(
    session: Session,
    store: str,
    *,
    hours: tuple[int, int] | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
) -> dict[str, Any]:
    """What a store's closing would put at stake, or, with hours (from, until), the dropping of those hours.

    Hours are of the store's clock, as it stands at the end of the period. See closure for the keys.

    Raises:
        NotFound: no store has this id.
        InputError: the hours are not within a day.
    """
    row = session.get(Store, store)
    if row is None:
        raise NotFound(f"no store {store!r}", what_to_do="see the list of stores for the ids")
    period = Period.of(start, end)
    others = met_elsewhere(session, period)
    if hours is None:
        return closure(purchases_by_touchpoint(session, period), others, store)
    opened, shut = hours
    if not 0 <= opened < shut <= 24:
        raise InputError(f"hours {opened}–{shut} are not within a day", what_to_do="give them as 20, 22")
    sold = type_coerce(PosLine.sold_at, BigInteger)
    last = session.scalar(select(func.max(sold)).where(period.covers(PosLine.sold_at)))
    offset = from_micros(last or 0).astimezone(ZoneInfo(row.timezone or DEFAULT_TIMEZONE)).utcoffset()
    assert offset is not None
    hour = (sold + int(offset.total_seconds()) * 1_000_000) // _HOUR_MICROS % 24
    name = f"{store} {opened:02d}–{shut:02d}"
    counter = or_(PosLine.channel.is_(None), PosLine.channel.not_in(("ec", "app")))
    part = (PosLine.store_id == store) & counter & (hour >= opened) & (hour < shut)
    return closure(purchases_by_touchpoint(session, period, part=part, part_name=name), others, name)
