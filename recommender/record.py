"""The record as training reads it: a point-in-time dataset from the lake's Parquet files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy import Engine

from journey.errors import NotEnoughData
from journey.lake import refresh, scan
from recommender.answered_proposals import answered_before
from recommender.dataset import Dataset

NEAR_NOW = timedelta(days=1)


@dataclass(frozen=True)
class Frames:
    """The record as frames with the columns of the extract; master frames are None where nothing came."""

    lines: pl.DataFrame
    events: pl.DataFrame
    products: pl.DataFrame | None
    customers: pl.DataFrame | None
    stores: pl.DataFrame | None
    suggestions: pl.DataFrame | None = None
    outcomes: pl.DataFrame | None = None

    def dataset(self, as_of: datetime | None, timezone: str) -> Dataset:
        """What was known before ``as_of`` (None: everything)."""
        dataset = Dataset.from_frames(
            self.lines, self.events, self.products, self.customers, self.stores, as_of, timezone
        )
        if self.suggestions is None or self.outcomes is None:
            return dataset
        return replace(dataset, answered=answered_before(self.suggestions, self.outcomes, dataset.as_of))


def load_frames(engine: Engine, home: Path, *, timezone: str) -> Frames:
    """Everything that models read, after bringing the lake up to date."""
    refresh(engine, home, timezone=timezone)
    lines = scan(home, "pos_lines").select("receipt_id", "store_id", "sold_at", "customer_id", "product_id", "quantity")
    events = scan(home, "web_events").select(
        "occurred_at", "visitor_id", "session_id", "customer_id", "kind", "product_id"
    )
    products, customers, stores = (_master(home, table) for table in ("products", "customers", "stores"))
    shown = scan(home, "suggestions").select("suggestion_id", "score", "probability", "kind", "source")
    outcomes = scan(home, "outcomes").select("suggestion_id", "occurred_at", "result")
    return Frames(lines.collect(), events.collect(), products, customers, stores, shown.collect(), outcomes.collect())


def load_dataset(engine: Engine, home: Path, *, as_of: datetime | None, now: datetime, timezone: str) -> Dataset:
    """Everything known before ``as_of`` (None: see `default_cut_off`).

    Raises:
        NotEnoughData: there are neither purchases nor web events before the cut-off.
    """
    frames = load_frames(engine, home, timezone=timezone)
    as_of = as_of or default_cut_off(frames.lines, frames.events, now=now)
    dataset = frames.dataset(as_of, timezone)
    if not dataset.rows:
        raise NotEnoughData(
            f"nothing is known before {as_of:%Y-%m-%d %H:%M %Z}",
            where="pos_lines, web_events",
            what_to_do="import an extract with pos_lines or web_events, or choose a later --as-of",
        )
    return dataset


def default_cut_off(lines: pl.DataFrame, events: pl.DataFrame, *, now: datetime) -> datetime:
    """Now; or just after the last known event, where the data end more than a day ago or run ahead of the clock."""
    latest = [
        moment for moment in (lines["sold_at"].max(), events["occurred_at"].max()) if isinstance(moment, datetime)
    ]
    last = max(latest, default=now)
    return now if last < now <= last + NEAR_NOW else last.astimezone(UTC) + timedelta(microseconds=1)


def _master(home: Path, table: str) -> pl.DataFrame | None:
    frame = scan(home, table).collect()
    return frame if len(frame) else None
