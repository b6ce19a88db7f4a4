"""Web sessions, funnels through them, and where people leave.

Events come as a frame: ``visitor`` (the cookie), ``session_id`` (as the site gave it, may be null), ``at``
(microseconds since the epoch), ``kind`` and, for exits, ``page``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

MINUTE_MICROS = 60_000_000
SESSION_GAP_MINUTES = 30
BROWSING = ("view", "search", "cart", "favorite", "purchase", "content_view", "recommend_click")
"""Kinds that are somebody using the site; mails and check-ins are not."""


def sessionise(events: pl.DataFrame, gap_minutes: float = SESSION_GAP_MINUTES) -> pl.DataFrame:
    """Events in order with ``session`` (whole numbers from 1).

    A session is one visitor's run of events with pauses of at most gap_minutes. Where the site names sessions
    (``session_id``), events of different names are different sessions, and a name is cut at long pauses all the same.
    """
    ordered = events.sort("visitor", "session_id", "at", nulls_last=True, maintain_order=True)
    fresh = (
        (pl.col("visitor") != pl.col("visitor").shift(1))
        | pl.col("session_id").ne_missing(pl.col("session_id").shift(1))
        | (pl.col("at") - pl.col("at").shift(1) > gap_minutes * MINUTE_MICROS)
    )
    return ordered.with_columns(session=fresh.fill_null(True).cum_sum().cast(pl.Int64))


@dataclass(frozen=True)
class Step:
    """A step of a funnel: the kinds of event that count, and within how many minutes of the step before."""

    name: str
    kinds: tuple[str, ...]
    within_minutes: float | None = None


SHOPPING = (Step("view", ("view",)), Step("cart", ("cart",)), Step("purchase", ("purchase",)))


def funnel_sessions(events: pl.DataFrame, steps: Sequence[Step] = SHOPPING) -> list[int]:
    """How many sessions reach each step, the steps taken in order.

    events: session, at, kind. An event reaches a step when some event that reached the step before lies at or before
    it, and within the step's time limit. The latest such event decides, so that a slow first look does not spoil a
    later quick one.
    """
    counts = []
    reached: pl.DataFrame | None = None
    for step in steps:
        here = events.filter(pl.col("kind").is_in(step.kinds)).select("session", "at").sort("at")
        if reached is not None:
            before = reached.with_columns(before=pl.col("at"))
            here = here.join_asof(before, on="at", by="session", strategy="backward", check_sortedness=False)
            here = here.filter(pl.col("before").is_not_null())
            if step.within_minutes is not None:
                here = here.filter(pl.col("at") - pl.col("before") <= step.within_minutes * MINUTE_MICROS)
            here = here.select("session", "at")
        counts.append(here["session"].n_unique())
        reached = here
    return counts


def funnel_rows(steps: Sequence[Step], counts: Sequence[int]) -> list[dict[str, str | int | float | None]]:
    """Funnel as rows: step, sessions, drop_off.

    ``drop_off`` is the share of the step's sessions that do not reach the next; null at the end and without sessions.
    """
    rows: list[dict[str, str | int | float | None]] = []
    for i, (step, sessions) in enumerate(zip(steps, counts, strict=True)):
        onward = counts[i + 1] if i + 1 < len(counts) else None
        drop = None if onward is None or sessions == 0 else 1 - onward / sessions
        rows.append({"step": step.name, "sessions": int(sessions), "drop_off": drop})
    return rows


def page_exits(events: pl.DataFrame) -> pl.DataFrame:
    """Per page: page, sessions that saw it, exits (sessions whose last event was on it).

    events: session, at, page; events without a page do not count.
    """
    paged = events.filter(pl.col("page").is_not_null()).sort("session", "at", maintain_order=True)
    seen = paged.group_by("page").agg(pl.col("session").n_unique().cast(pl.Int64).alias("sessions"))
    last = paged.group_by("session", maintain_order=True).agg(pl.col("page").last())
    left = last.group_by("page").agg(pl.len().cast(pl.Int64).alias("exits"))
    return seen.join(left, on="page", how="left").with_columns(pl.col("exits").fill_null(0))


def session_table(events: pl.DataFrame) -> pl.DataFrame:
    """One row per session: session, visitor, customer_id (the first known), starts_at, ends_at, events, bought.

    events: the columns above and customer_id.
    """
    return events.group_by("session").agg(
        pl.col("visitor").first(),
        pl.col("customer_id").drop_nulls().first(),
        pl.col("at").min().alias("starts_at"),
        pl.col("at").max().alias("ends_at"),
        pl.len().cast(pl.Int64).alias("events"),
        (pl.col("kind") == "purchase").any().alias("bought"),
    )
