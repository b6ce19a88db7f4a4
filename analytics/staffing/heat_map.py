"""The week of a store at a glance: weekday × quarter hour, required against rostered, over the last weeks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from analytics.staffing.judgement import OVER_PROBABILITY, SHORT_PROBABILITY
from analytics.staffing.rolled_up import LOST

CELL = ("weekday", "slot")


@dataclass(frozen=True)
class HeatMap:
    """*cells* by weekday (Monday 0) and slot; *totals* per week of the whole store; *weeks* that the slots span."""

    cells: list[dict[str, Any]]
    totals: dict[str, float]
    weeks: int


def heat_map(slots: pl.DataFrame) -> HeatMap:
    """Return the heat map of judged slots (see `rolled_up.past_slots`).

    A cell holds means over its weeks: arrivals, needed, rostered, p_short, p_over, and what was lost per week as _low
    and _high (added ends: the true total lies between them at least as often). It is short where a shortage is
    likelier than not on average, over where one clerk fewer would very likely do, unknown without a roster.
    """
    if slots.is_empty():
        return HeatMap([], dict.fromkeys(LOST, 0.0) | {"short_hours": 0.0, "over_hours": 0.0}, 0)
    weekday = pl.col("day").dt.weekday().cast(pl.Int64) - 1
    judgement = (
        pl.when(pl.col("p_short").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("p_short") > SHORT_PROBABILITY)
        .then(pl.lit("short"))
        .when(pl.col("p_over") > OVER_PROBABILITY)
        .then(pl.lit("over"))
        .otherwise(pl.lit("enough"))
    )
    cells = (
        slots.with_columns(weekday=weekday)
        .group_by(CELL)
        .agg(
            pl.col("arrivals", "needed", "rostered", "p_short", "p_over", *LOST).mean(),
            weeks=pl.col("day").n_unique(),
            short_weeks=(pl.col("judgement") == "short").sum(),
        )
        .with_columns(judgement=judgement)
        .sort(CELL)
    )
    weeks = int(slots["day"].n_unique() / 7 + 0.999)
    gap = pl.col("needed") - pl.col("rostered")
    hours = slots.select(
        short_hours=gap.clip(lower_bound=0).sum() / 4 / weeks, over_hours=(-gap).clip(lower_bound=0).sum() / 4 / weeks
    ).row(0, named=True)
    totals = {name: float(slots[name].sum() or 0.0) / weeks for name in LOST}
    return HeatMap(cells.to_dicts(), totals | {name: float(value or 0.0) for name, value in hours.items()}, weeks)


def hours_of(cells: list[dict[str, Any]]) -> list[int]:
    """Return the hours of the day, from the first to the last that any cell lies in."""
    hours = {cell["slot"] // 4 for cell in cells}
    return list(range(min(hours), max(hours) + 1)) if hours else []


def grid(cells: list[dict[str, Any]]) -> list[dict[int, dict[str, Any]]]:
    """Return, for Monday to Sunday, hour → judgement, gap (clerks too many; negative: too few), and its `quarters`.

    An hour is short or over where at least half of its quarters are; the gap is that of its worst quarter.
    """
    week: list[dict[int, list[dict[str, Any]]]] = [{} for _ in range(7)]
    for cell in cells:
        week[cell["weekday"]].setdefault(cell["slot"] // 4, []).append(cell)
    return [{hour: _hour(quarters) for hour, quarters in day.items()} for day in week]


def _hour(quarters: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [quarter["judgement"] for quarter in quarters]
    word = next((word for word in ("short", "over", "unknown") if judged.count(word) * 2 >= len(judged)), "enough")
    gaps = [q["rostered"] - q["needed"] for q in quarters if q["judgement"] == word and q["rostered"] is not None]
    gap = 0
    if gaps and word == "short":
        gap = min(math.floor(min(gaps)), -1)
    elif gaps and word == "over":
        gap = max(math.floor(min(gaps)), 1)
    return {
        "judgement": word,
        "gap": gap,
        "needed": max(quarter["needed"] for quarter in quarters),
        "quarters": quarters,
    }
