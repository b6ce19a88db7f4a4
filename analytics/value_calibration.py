"""Lifetime value held against what followed: expected purchases of a hold-out stretch beside the actual ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from analytics.purchase_histories import UNITS, later_purchases, purchase_histories, with_times
from analytics.repeat_buying import BuyingModel, fit_buying
from journey.errors import NotEnoughData

_MOST_PURCHASES_SHOWN = 7
_MANY, _QUARTER = 100, 0.25


def calibration(buying: BuyingModel, histories: pl.DataFrame, length: float) -> dict[str, Any]:
    """Expected against actual purchases in the ``length`` units after the model's data end.

    histories: x, t_x, T and ``later`` (purchases then). Keys expected, actual (sums), ratio, correlation, and bins by
    purchases before (the last bin open): purchases, customers, expected, actual (means per customer).
    """
    x, t_x, T = (histories[c].to_numpy().astype(np.float64) for c in ("x", "t_x", "T"))
    table = histories.select(
        pl.col("x").clip(upper_bound=_MOST_PURCHASES_SHOWN).alias("purchases"), pl.col("later").alias("actual")
    ).with_columns(expected=pl.Series(buying.expected_purchases(length, x, t_x, T)))
    bins = table.group_by("purchases").agg(
        pl.len().alias("customers"), pl.col("expected").mean(), pl.col("actual").cast(pl.Float64).mean()
    )
    expected, actual = float(table["expected"].sum()), float(table["actual"].sum())
    spread = table["expected"].n_unique() > 1 and table["actual"].n_unique() > 1
    both = np.corrcoef(table["expected"].to_numpy(), table["actual"].to_numpy())[0, 1] if spread else None
    return {
        "length": length,
        "expected": expected,
        "actual": actual,
        "ratio": expected / actual if actual > 0 else None,
        "correlation": None if both is None else float(both),
        "bins": bins.sort("purchases").to_dicts(),
    }


def held_out(
    session: Session, earliest: int, last: int, until: int, *, unit: str, store: str | None
) -> dict[str, Any] | None:
    """A model of what was known by ``last`` against (last, until]; None where there is too little."""
    if until <= last or last <= earliest:
        return None
    histories = with_times(purchase_histories(session, last, store=store), last, unit)
    histories = histories.filter(pl.col("first_day") >= earliest)
    later = later_purchases(session, last, until, store=store)
    joined = histories.join(later, on="customer_id", how="left").with_columns(pl.col("later").fill_null(0))
    try:
        buying = fit_buying(*(joined[c].to_numpy().astype(np.float64) for c in ("x", "t_x", "T")))
    except NotEnoughData:
        return None
    return calibration(buying, joined, (until - last) / UNITS[unit])


def misfits(bins: list[dict[str, Any]]) -> list[str]:
    """Where the hold-out disagrees by more than a quarter with what was expected of a hundred customers or more."""
    notes = []
    for row in bins:
        expected, actual = row["expected"], row["actual"]
        if row["customers"] >= _MANY and abs(expected - actual) > _QUARTER * max(actual, expected):
            notes.append(
                f"Customers with {row['purchases']} repeat purchases were expected to come {expected:.2f} times in the"
                f" hold-out and came {actual:.2f} times; take their values with care."
            )
    return notes
