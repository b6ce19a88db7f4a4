"""Writes the extract folder: times made instants, big tables as Parquet, small ones as CSV."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from journey.simulation.days import Days

PARQUET = ("pos_lines", "web_events", "suggestions", "outcomes", "coupon_grants", "traffic")
_TIMES = {
    "identities": ("linked_at",),
    "pos_lines": ("sold_at",),
    "web_events": ("occurred_at",),
    "stock": ("as_of",),
    "coupon_grants": ("granted_at", "redeemed_at"),
    "traffic": ("starts_at",),
    "shifts": ("starts_at", "ends_at"),
    "orders": ("ordered_at", "pickup_at"),
    "contacts": ("started_at",),
    "suggestions": ("shown_at",),
    "outcomes": ("occurred_at",),
    "answers": ("asked_at", "answered_at"),
}
_AS_TEXT = {"answers": ("score",), "products": ("price",)}  # so that a dirty row can hold a word


def instants(name: str, table: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Seconds of the window → instants in Asia/Tokyo (Parquet) or ISO 8601 text with its offset (CSV)."""
    for column in _TIMES.get(name, ()):
        moment = ((pl.col(column).cast(pl.Int64) + days.epoch) * 1_000_000).cast(pl.Datetime("us", "UTC"))
        moment = moment.dt.convert_time_zone("Asia/Tokyo")
        if name not in PARQUET:
            moment = moment.dt.strftime("%Y-%m-%dT%H:%M:%S+09:00")
        table = table.with_columns(moment.alias(column))
    return table.with_columns(pl.col(c).cast(pl.String) for c in _AS_TEXT.get(name, ()))


def write_extract(directory: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Writes every table; an earlier file of the same table in the other format is removed."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        for suffix in ("csv", "csv.gz", "parquet"):
            (directory / f"{name}.{suffix}").unlink(missing_ok=True)
        if name in PARQUET:
            table.write_parquet(directory / f"{name}.parquet", compression="zstd", compression_level=3, statistics=True)
        else:
            table.write_csv(directory / f"{name}.csv")
