"""Cookies and app codes that nobody has linked, and what log-ins under them say.

A log-in is an event that the shop delivered with its customer. A cookie under which one customer alone has logged in is
taken for theirs; under two it speaks for one person with two accounts, or for a couple; under three or more for a
family's tablet or a terminal of the shop.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.identity import VISITOR_KINDS, Identity
from journey.identity_review import IdentityClaim
from journey.web import WebEvent

FAMILY = 3
"""From so many customers on an identifier is shared by a household or by the shop itself."""

_LOGINS = {"value": TEXT, "customer_id": TEXT, "logins": WHOLE, "last_at": WHOLE}


def logins(session: Session, period: Period) -> pl.DataFrame:
    """Who was named under which cookie or app code: value, customer_id, logins (sessions), last_at (µs).

    The links themselves and refused ones (claims) count as well.
    """
    last = func.max(type_coerce(WebEvent.occurred_at, BigInteger))
    times = func.count(func.distinct(func.coalesce(WebEvent.session_id, WebEvent.event_id)))
    seen = (
        select(WebEvent.visitor_id, WebEvent.customer_id, times, last)
        .where(WebEvent.customer_ref.is_not(None), WebEvent.customer_id.is_not(None))
        .where(period.covers(WebEvent.occurred_at))
        .group_by(WebEvent.visitor_id, WebEvent.customer_id)
    )
    claimed = select(
        IdentityClaim.value, IdentityClaim.customer_id, IdentityClaim.times,
        type_coerce(IdentityClaim.last_at, BigInteger),
    ).where(IdentityClaim.kind.in_(VISITOR_KINDS))  # fmt: skip
    linked = select(
        Identity.value, Identity.customer_id, type_coerce(1, BigInteger), type_coerce(Identity.linked_at, BigInteger)
    ).where(Identity.kind.in_(VISITOR_KINDS))
    frames = [query_frame(session, one, _LOGINS) for one in (seen, claimed, linked)]
    return (
        pl.concat(frames)
        .group_by("value", "customer_id")
        .agg(pl.col("logins").sum(), pl.col("last_at").max())
        .sort("value", "customer_id")
    )


def unlinked(session: Session, known: pl.DataFrame) -> list[dict[str, Any]]:
    """Cookies without a link under which exactly one customer has logged in: value, customer_id, logins, anonymous.

    ``anonymous`` are the events that would become the customer's.
    """
    alone = (
        known.group_by("value")
        .agg(pl.col("customer_id"), pl.col("logins"))
        .filter(pl.col("customer_id").list.len() == 1)
    )
    linked = query_frame(session, select(Identity.value).where(Identity.kind.in_(VISITOR_KINDS)), {"value": TEXT})
    free = alone.join(linked, on="value", how="anti")
    nameless = query_frame(
        session,
        select(WebEvent.visitor_id, func.count())
        .where(WebEvent.customer_ref.is_(None), WebEvent.customer_id.is_(None))
        .group_by(WebEvent.visitor_id),
        {"value": TEXT, "anonymous": WHOLE},
    )
    found = free.join(nameless, on="value", how="left").with_columns(
        pl.col("customer_id").list.first(), pl.col("logins").list.first(), pl.col("anonymous").fill_null(0)
    )
    return found.sort("anonymous", "value", descending=[True, False]).to_dicts()


def shared(known: pl.DataFrame) -> list[dict[str, Any]]:
    """Cookies and app codes with three customers or more: value, customers, logins."""
    counted = known.group_by("value").agg(customers=pl.len(), logins=pl.col("logins").sum())
    return counted.filter(pl.col("customers") >= FAMILY).sort("customers", "value", descending=[True, False]).to_dicts()


def pairs(known: pl.DataFrame, *, days: float) -> pl.DataFrame:
    """Two customers under one cookie within so many days of each other: a, b, value (a < b)."""
    two = known.filter(pl.len().over("value") == 2)
    both = two.join(two, on="value", suffix="_b").filter(pl.col("customer_id") < pl.col("customer_id_b"))
    near = (pl.col("last_at") - pl.col("last_at_b")).abs() <= int(days * 86_400_000_000)
    return both.filter(near).select(a="customer_id", b="customer_id_b", value="value")
