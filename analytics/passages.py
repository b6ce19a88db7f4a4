"""Passages from one channel to another within some days, and what customers' touches lead to."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analytics.clustered_means import clustered_mean
from analytics.period import DAY_MICROS


@dataclass(frozen=True)
class Passage:
    """Share of origins followed by a target, with its interval over customers (None where there is none)."""

    rate: float | None
    low: float | None
    high: float | None
    n: int
    customers: int


def passage(origins: pl.DataFrame, targets: pl.DataFrame, days: float, known_until: int) -> Passage:
    """How often a customer's origin is followed by one of the same customer's targets within so many days.

    origins, targets: customer_id, at (microseconds). known_until: the record's end; origins less than ``days`` before
    it are left out, as their target may still come.
    """
    joined = followed(origins, targets, days, known_until)
    mean = clustered_mean(joined["came"].to_numpy(), joined["customer_id"].to_numpy(), bounds=(0.0, 1.0))
    if mean is None:
        return Passage(None, None, None, 0, 0)
    return Passage(mean.value, mean.low, mean.high, mean.n, mean.people)


def followed(origins: pl.DataFrame, targets: pl.DataFrame, days: float, known_until: int) -> pl.DataFrame:
    """Each origin with ``came``: 1.0 where a target followed in time, else 0.0. Arguments as for passage."""
    within = int(days * DAY_MICROS)
    whole = origins.filter(pl.col("at") <= known_until - within).select("customer_id", "at").sort("at")
    after = targets.select("customer_id", "at").with_columns(arrived=pl.col("at")).sort("at")
    joined = whole.join_asof(
        after, on="at", by="customer_id", strategy="forward", tolerance=within, check_sortedness=False
    )
    return joined.select("customer_id", "at", came=pl.col("arrived").is_not_null().cast(pl.Float64))


def paths_to_purchase(
    touches: pl.DataFrame, purchases: pl.DataFrame, *, days: float = 30.0, known_until: int | None = None
) -> tuple[pl.DataFrame, int]:
    """Paths for analytics.attribution, and the purchases that no touch preceded.

    touches: customer_id, at, channel. purchases: customer_id, at. A purchase's path are the customer's touches of the
    ``days`` before it and since the purchase before. Touches that no purchase follows in time form paths without
    conversion, split at pauses longer than ``days``; those too near to known_until are left out, as they may still
    convert.
    """
    within = int(days * DAY_MICROS)
    bought = purchases.select("customer_id", "at").unique().with_columns(bought=pl.col("at")).sort("at")
    joined = (
        touches.select("customer_id", "at", "channel")
        .sort("at", maintain_order=True)
        .join_asof(bought, on="at", by="customer_id", strategy="forward", tolerance=within, check_sortedness=False)
    )
    won = joined.filter(pl.col("bought").is_not_null())
    paths = won.group_by("customer_id", "bought").agg(pl.col("channel").sort_by("at"))
    alone = bought.height - paths.height
    lost = joined.filter(pl.col("bought").is_null())
    if known_until is not None:
        lost = lost.filter(pl.col("at") <= known_until - within)
    lost = lost.sort("customer_id", "at", maintain_order=True).with_columns(
        pause=(pl.col("at").diff() > within).fill_null(False).cum_sum().over("customer_id")
    )
    ended = lost.group_by("customer_id", "pause").agg(pl.col("channel").sort_by("at"))
    both = pl.concat(
        [
            paths.select(pl.col("channel").alias("path"), conversions=1, nulls=0),
            ended.select(pl.col("channel").alias("path"), conversions=0, nulls=1),
        ]
    )
    key = pl.col("path").list.join("\x1f")
    counted = both.group_by(key.alias("key")).agg(pl.col("conversions").sum(), pl.col("nulls").sum()).sort("key")
    return counted.select(pl.col("key").str.split("\x1f").alias("path"), "conversions", "nulls"), alone
