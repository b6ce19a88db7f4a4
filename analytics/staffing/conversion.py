"""Shoppers per clerk against conversion: does a fuller floor sell less?

Wrong if: full and empty hours differ in who comes (office workers at noon, families on Saturday), or receipts fall
into a later hour than the arrivals they belong to, which flatters hours after a rush.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from analytics.rates import wilson

BANDS = 5
SAME_HOUR = ("store_id", pl.col("day").dt.weekday(), "slot")


def conversion_by_ratio(slots: pl.DataFrame, bands: int = BANDS) -> list[dict[str, Any]]:
    """Return conversion (receipts per person entering) with its 95 % interval in bands of shoppers per clerk.

    *slots* needs arrivals, receipts and rostered; hours are added up first, since a receipt falls later than the
    arrival. An hour's band is told by who came at that hour in other weeks: by its own count, hours in which few
    happened to come would lie low and seem to sell well, whatever the floor. Bands hold about equally many hours;
    fewer where the ratio takes few values; none without receipts, or within the first week.
    """
    weeks = pl.len().over(SAME_HOUR)
    hours = (
        slots.filter(pl.col("rostered").is_not_null())
        .group_by("store_id", "day", pl.col("slot") // 4)
        .agg(pl.col("arrivals", "receipts").sum(), clerks=pl.col("rostered").mean())
        .with_columns(usual=(pl.col("arrivals").sum().over(SAME_HOUR) - pl.col("arrivals")) / (weeks - 1))
        .filter((weeks > 1) & (pl.col("clerks") > 0) & (pl.col("usual") > 0))
        .with_columns(ratio=pl.col("usual") / pl.col("clerks"))
        .sort("store_id", "day", "slot")
    )
    if hours.is_empty() or hours["receipts"].sum() == 0 or hours["arrivals"].sum() == 0:
        return []
    cuts = np.unique(np.quantile(hours["ratio"].to_numpy(), np.linspace(0, 1, bands + 1)[1:-1]))
    band = np.searchsorted(cuts, hours["ratio"].to_numpy(), side="right")
    table = (
        hours.with_columns(band=pl.Series(band))
        .group_by("band")
        .agg(
            shoppers_per_clerk=pl.col("ratio").mean(),
            entered=pl.col("arrivals").sum(),
            receipts=pl.col("receipts").sum(),
            hours=pl.len(),
        )
        .sort("band")
    )
    entered = table["entered"].to_numpy()
    bought = np.minimum(table["receipts"].to_numpy(), entered)
    low, high = wilson(bought, entered)
    return table.with_columns(
        conversion=pl.Series(bought / entered), low=pl.Series(low), high=pl.Series(high)
    ).to_dicts()
