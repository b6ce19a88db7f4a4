"""Hours of the week that are short again and again: which, how many clerks more, and where they could come from."""

from __future__ import annotations

from typing import Any

import polars as pl

SHARE = 0.5  # of the weeks seen, from which on an hour counts as recurring
MIN_WEEKS = 2


def recurring(slots: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the recurring shortages of judged *slots*, the costliest first.

    Where nothing tells of costs those come first that want most clerks.

    Each has store_id, weekday (Monday 0), hour, weeks (seen), short_share, extra (clerks more, in most weeks enough),
    lost_proposals_low and _high (per week), and from_hour: an hour of the same day that is recurrently over, or None.
    """
    hours = (
        slots.filter(pl.col("rostered").is_not_null())
        .group_by("store_id", "day", hour=pl.col("slot") // 4)
        .agg(
            short=(pl.col("judgement") == "short").mean() >= 0.5,
            over=(pl.col("judgement") == "over").mean() >= 0.5,
            missing=(pl.col("needed") - pl.col("rostered")).max(),
            low=pl.col("lost_proposals_low").sum(),
            high=pl.col("lost_proposals_high").sum(),
        )
        .with_columns(weekday=pl.col("day").dt.weekday() - 1)
        .group_by("store_id", "weekday", "hour")
        .agg(
            weeks=pl.len(),
            short_share=pl.col("short").mean(),
            over_share=pl.col("over").mean(),
            extra=pl.col("missing").filter(pl.col("short")).quantile(0.8, "higher").ceil(),
            lost_proposals_low=pl.col("low").mean(),
            lost_proposals_high=pl.col("high").mean(),
        )
        .filter(pl.col("weeks") >= MIN_WEEKS)
    )
    spare = (
        hours.filter(pl.col("over_share") >= SHARE)
        .sort("over_share", "hour", descending=[True, False])
        .group_by("store_id", "weekday", maintain_order=True)
        .agg(from_hour=pl.col("hour").first())
    )
    return (
        hours.filter((pl.col("short_share") >= SHARE) & (pl.col("extra") >= 1))
        .join(spare, on=["store_id", "weekday"], how="left")
        .drop("over_share")
        .with_columns(pl.col("extra").cast(pl.Int64))
        .sort(
            "lost_proposals_high", "extra", "store_id", "weekday", "hour", descending=[True, True, False, False, False]
        )
        .to_dicts()
    )
