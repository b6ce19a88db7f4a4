"""Cards that somebody else pays with: whoever checks in, and never pays, while one and the same card does.

A couple on one card leaves no trace at the till. But where the second person checks in with an app of their own, the
till soon after shows the partner's card and never one of theirs. Seen several times with the same card, this is no
chance meeting: a given card is at the till within the same hour and a half in well under one visit of a hundred. Then
neither the card's purchases nor the person's can be said to follow from what either looked at, and nothing is said.
What would make it wrong: somebody who comes along with a friend each time. What it does not find: a person without an
app, and one who came once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.touches import in_store
from journey.purchases import PosLine
from journey.visits import Visit
from journey.web import WebEvent

WITHIN = 90 * 60 * 1_000_000
"""From checking in to paying, in microseconds."""
ENOUGH = ((2, 0.75), (3, 0.5))
"""Of the check-ins without an own receipt, so many and at least such a share were followed by the same card. On an
invented chain of 20,000 customers 97 % of the pairs told are couples on one card; with (2, 0.5) it were 77 %.
"""
OWN_AT_MOST = 0.25
"""Whoever pays with a card of their own more often than after this share of check-ins has one."""

_SEEN = {"store_id": TEXT, "customer_id": TEXT, "at": WHOLE}


def borrowed_cards(session: Session, period: Period) -> list[dict[str, Any]]:
    """Cards that another customer uses: customer_id (the card's), user_id, times, check_ins; by customers' ids."""
    arrived = _check_ins(session, period)
    if arrived.is_empty():
        return []
    paid = _receipts(session, period)
    met = _meetings(arrived, paid)
    themselves = met.filter(pl.col("user_id") == pl.col("customer_id"))
    own = themselves.select("user_id", "at").unique().with_columns(own=pl.lit(True))
    people = (
        arrived.join(own, left_on=["customer_id", "at"], right_on=["user_id", "at"], how="left")
        .group_by(user_id="customer_id")
        .agg(check_ins=pl.len(), own=pl.col("own").fill_null(False).sum())
        .with_columns(alone=pl.col("check_ins") - pl.col("own"))
        .filter(pl.col("own") <= OWN_AT_MOST * pl.col("check_ins"))
    )
    cards = (
        met.join(themselves, on=["customer_id", "paid"], how="anti")  # who checked in for it has paid for it
        .group_by("user_id", "customer_id")
        .agg(times=pl.col("at").n_unique())
        .join(people, on="user_id")
        .filter(
            pl.any_horizontal(
                (pl.col("times") >= n) & (pl.col("times") >= share * pl.col("alone")) for n, share in ENOUGH
            )
        )
    )
    return cards.select("customer_id", "user_id", "times", "check_ins").sort("customer_id", "user_id").to_dicts()


def _check_ins(session: Session, period: Period) -> pl.DataFrame:
    """Arrivals of known customers, from the app's events (their page is the store) and from the store's list."""
    events = select(WebEvent.page, WebEvent.customer_id, type_coerce(WebEvent.occurred_at, BigInteger)).where(
        WebEvent.kind == "checkin", WebEvent.customer_id.is_not(None), WebEvent.page.is_not(None),
        period.covers(WebEvent.occurred_at),
    )  # fmt: skip
    visits = select(Visit.store_id, Visit.customer_id, type_coerce(Visit.arrived_at, BigInteger)).where(
        Visit.source == "checkin", period.covers(Visit.arrived_at)
    )
    return pl.concat([query_frame(session, one, _SEEN) for one in (events, visits)]).unique()


def _receipts(session: Session, period: Period) -> pl.DataFrame:
    first = func.min(type_coerce(PosLine.sold_at, BigInteger))
    statement = (
        select(PosLine.store_id, PosLine.customer_id, first)
        .where(PosLine.customer_id.is_not(None), PosLine.quantity > 0, in_store(), period.covers(PosLine.sold_at))
        .group_by(PosLine.store_id, PosLine.receipt_id, PosLine.customer_id)
    )
    return query_frame(session, statement, _SEEN)


def _meetings(arrived: pl.DataFrame, paid: pl.DataFrame) -> pl.DataFrame:
    """Each check-in with every card that paid in its store soon after: user_id, at (of arrival), customer_id, paid."""
    schema = {"user_id": pl.String, "at": pl.Int64, "customer_id": pl.String, "paid": pl.Int64}
    frames = [pl.DataFrame(schema=schema)]
    tills = paid.sort("store_id", "at").partition_by("store_id", as_dict=True)
    for (store,), here in arrived.group_by("store_id"):
        till = tills.get((store,))
        if till is None:
            continue
        times, entered = till["at"].to_numpy(), here["at"].to_numpy()
        first, last = np.searchsorted(times, entered), np.searchsorted(times, entered + WITHIN, side="right")
        counts = last - first
        came = np.repeat(np.arange(entered.size), counts)
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
        users = here.select(user_id="customer_id", at="at")[came]
        frames.append(users.hstack(till.select("customer_id", paid="at")[place]))
    return pl.concat(frames)
