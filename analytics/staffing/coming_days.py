"""The coming days of a store at a glance: people expected with their range, the peak, clerks needed, holidays."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from analytics.forecast.calendar import is_public_holiday


def coming_days(coming: pl.DataFrame, country: str) -> list[dict[str, Any]]:
    """Return one row per day of a forecast (see `rolled_up.coming_slots`).

    Each has day, arrivals with the 95 % range low–high, most (clerks at once), clerk_hours, peak (slot) and holiday.
    The quarter hours of a day stray together: 1/strength = day + slot/arrivals tells the variance that they share from
    the one that each has for itself.
    """
    if coming.is_empty():
        return []
    shared, own = _variances(coming["arrivals"].to_numpy(), coming["strength"].to_numpy())
    rows = coming.group_by("day", maintain_order=True).agg(
        pl.col("arrivals").sum(),
        most=pl.col("needed").max(),
        clerk_hours=pl.col("needed").sum() / 4,
        peak=pl.col("slot").sort_by("arrivals").last(),
    )
    found = []
    for row in rows.to_dicts():
        spread = 1.96 * float(np.sqrt(row["arrivals"] * (1 + own) + shared * row["arrivals"] ** 2))
        ends = {"low": max(row["arrivals"] - spread, 0.0), "high": row["arrivals"] + spread}
        found.append(row | ends | {"holiday": is_public_holiday(row["day"], country)})
    return found


def _variances(arrivals: np.ndarray[Any, Any], strength: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return the squared relative deviation of a day, and the variance factor of a slot beyond chance."""
    some = arrivals > 0.05
    if some.sum() < 2 or np.ptp(arrivals[some]) < 1e-9:
        return (float(1 / strength[some].mean()) if some.any() else 0.0), 0.0
    line = np.column_stack([np.ones(some.sum()), 1 / arrivals[some]])
    shared, own = np.linalg.lstsq(line, 1 / strength[some], rcond=None)[0]
    return max(float(shared), 0.0), max(float(own), 0.0)
