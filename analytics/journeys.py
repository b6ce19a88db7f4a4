"""Journeys across web, mail, stores and clerks: funnels, passages, channel mix, what brings purchases, single threads.

Questions: where do people drop out on the web, do they come from the web to the store and back, through which
channels do they pass before they buy? What would make it wrong: visitors whose cookie was never linked to a customer
are in the funnel but in no passage; a couple that pays with one card would lead from one's browser to the other's
purchase, so that where the record shows such a card (analytics.one_id.borrowed) neither is in passages or paths;
attribution describes the order of touches, it does not prove that a touch caused
the purchase (experiments do).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.attribution import attribution
from analytics.channels import channel_mix, channel_shift
from analytics.dependence import met_elsewhere, purchases_by_touchpoint, single_touchpoint
from analytics.one_id.borrowed import borrowed_cards
from analytics.passages import passage, paths_to_purchase
from analytics.period import Period
from analytics.recommendation_clicks import recommendation_clicks
from analytics.sessions import SHOPPING, Step, funnel_rows
from analytics.touches import arrival_moments, purchase_moments, record_end, touch_moments
from analytics.web_record import WebTally, mail_open_rate, web_tally
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE

PASSAGE_DAYS = 7
LOOKBACK_DAYS = 30
_PAGES = 20
_PATHS = 10


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    steps: tuple[Step, ...] = SHOPPING,
    days: int = PASSAGE_DAYS,
) -> dict[str, Any]:
    """The ``journeys`` report.

    Keys funnel, attribution, open_rate, web_to_store, store_to_web, channel_mix, single_touchpoint_share and, beside
    them, passages (the same two rates with n and interval), exits (pages by sessions that ended there), withheld
    (customers left out as they share a card), single_touchpoint, channel_shift, sessions, paths (the commonest ways to
    purchase and to none: path, conversions, nulls), recommendations (clicks on suggestions shown on the web), notes.
    The web has no store: with ``store`` the funnel stays the chain's, passages and purchases are the store's.
    """
    period = Period.of(start, end, timezone)
    notes: list[str] = []
    until = record_end(session) if period.end is None else period.end
    tally = web_tally(session, period, steps)
    if not tally.sessions:
        notes.append("No web events in this period; connect the beacon or import web_events.")
    if store is not None:
        notes.append("The web funnel is the whole chain's; passages, purchases and channels are the store's.")
    open_rate, mails = mail_open_rate(session, period)
    if not mails:
        notes.append("No mails were sent in this period.")
    sharing = _sharing_a_card(session, period)
    if sharing:
        notes.append(
            f"{len(sharing):,} customers share a card with somebody; which of them bought cannot be told,"
            " so that they are in no passage and no path."
        )
    apart = ~pl.col("customer_id").is_in(sharing)
    passages = _passages(session, period, tally, until or 0, store, days, apart)
    if not passages["web_to_store"]["n"]:
        notes.append(f"No session of a known customer is {days} days old; passages are not shown.")
    purchases = purchase_moments(session, period, store=store)
    purchases = purchases.filter(apart)
    paths, untouched = paths_to_purchase(
        touch_moments(session, period).filter(apart), purchases, days=LOOKBACK_DAYS, known_until=until
    )
    credits = attribution(paths)
    if credits and untouched:
        notes.append(
            f"{untouched:,} of {purchases.height:,} purchases had no touch in the {LOOKBACK_DAYS} days before;"
            " nobody is credited."
        )
    threads = single_touchpoint(
        _of_store(purchases_by_touchpoint(session, period), store), met_elsewhere(session, period)
    )
    return {
        "funnel": funnel_rows(steps, tally.reached or [0] * len(steps)),
        "sessions": tally.sessions,
        "buying_sessions": tally.buying,
        "exits": _exits(tally),
        "attribution": credits,
        "unattributed": untouched,
        "paths": _commonest(paths),
        "recommendations": recommendation_clicks(session, period),
        "open_rate": open_rate,
        "mails": mails,
        "web_to_store": passages["web_to_store"]["rate"],
        "store_to_web": passages["store_to_web"]["rate"],
        "passages": passages,
        "withheld": len(sharing),
        "channel_mix": channel_mix(session, period, store=store),
        "channel_shift": _shift(session, period, until, store),
        "single_touchpoint_share": threads["customer_share"],
        "single_touchpoint": threads,
        "notes": notes,
    }


def _passages(
    session: Session, period: Period, tally: WebTally, until: int, store: str | None, days: int, apart: pl.Expr
) -> dict[str, dict[str, Any]]:
    online = tally.known_sessions().select("customer_id", "at").filter(apart)
    counter = purchase_moments(session, period, store=store, counter_only=True).filter(apart)
    # Only customers the web knows can be seen going there; the others' silence says nothing.
    known = counter.filter(pl.col("customer_id").is_in(online["customer_id"].unique().implode()))
    met = pl.concat([counter, arrival_moments(session, period, store=store)])
    return {
        "web_to_store": asdict(passage(online, met, days, until)) | {"days": days},
        "store_to_web": asdict(passage(known, online, days, until)) | {"days": days},
    }


def _sharing_a_card(session: Session, period: Period) -> list[str]:
    """Customers whose card another one uses, and those others."""
    pairs = borrowed_cards(session, period)
    return sorted({pair[side] for pair in pairs for side in ("customer_id", "user_id")})


def _exits(tally: WebTally) -> list[dict[str, Any]]:
    top = tally.exits.sort("exits", "page", descending=[True, False]).head(_PAGES)
    return top.with_columns(rate=pl.col("exits") / pl.col("sessions")).to_dicts()


def _commonest(paths: pl.DataFrame) -> list[dict[str, Any]]:
    """The ways that most often ended in a purchase, and those that most often did not: path, conversions, nulls."""
    top = pl.concat(
        [paths.sort(kind, descending=True, maintain_order=True).head(_PATHS) for kind in ("conversions", "nulls")]
    )
    return top.unique(maintain_order=True).to_dicts()


def _of_store(purchases: pl.DataFrame, store: str | None) -> pl.DataFrame:
    """Purchases of the customers of one store, wherever they buy."""
    if store is None:
        return purchases
    here = purchases.filter(pl.col("touchpoint") == store)["customer_id"]
    return purchases.filter(pl.col("customer_id").is_in(here.unique().implode()))


def _shift(session: Session, period: Period, until: int | None, store: str | None) -> dict[str, Any] | None:
    first = session.scalar(
        select(func.min(type_coerce(PosLine.sold_at, BigInteger))).where(period.covers(PosLine.sold_at))
    )
    if first is None or until is None:
        return None
    return channel_shift(session, period, first, until, store=store)
