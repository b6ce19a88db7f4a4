"""Lifetime value: what each customer is expected to buy and spend over a horizon, discounted.

Question: who will come back, how often, for how much? Estimate: BG/NBD for purchases (analytics.repeat_buying),
Gamma–Gamma for amounts (analytics.spend), both by maximum likelihood. Check: the model fitted on an earlier stretch
against what then happened (``calibration``). What would make it wrong: seasons and campaigns (the rate is taken as
steady), spend that goes with frequency, customers whose first purchase lies before the record begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.period import Period, local_day
from analytics.purchase_histories import UNITS, later_purchases, purchase_histories, with_times
from analytics.repeat_buying import BuyingModel, fit_buying
from analytics.spend import SpendModel, fit_spend, frequency_correlation
from journey.errors import InputError, NotEnoughData
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE

Floats = NDArray[np.float64]

YEARLY_DISCOUNT = 0.10
DEFAULT_HORIZON = {"day": 365.0, "week": 52.0}
_SLICES = 12
_MOST_PURCHASES_SHOWN = 7
_MANY, _QUARTER = 100, 0.25


@dataclass(frozen=True)
class LifetimeValues:
    """Per customer (n,): expected purchases in the horizon, their discounted value, probability of being a customer."""

    purchases: Floats
    value: Floats
    alive: Floats


def lifetime_values(
    buying: BuyingModel,
    spend: SpendModel | None,
    histories: pl.DataFrame,
    horizon: float,
    *,
    unit: str = "week",
    discount: float = YEARLY_DISCOUNT,
) -> LifetimeValues:
    """Values of customers with columns x, t_x, T, mean_amount over ``horizon`` units after T.

    Purchases are taken in twelve slices of the horizon, each discounted from its middle at ``discount`` a year.
    Without a spend model values are not a number.
    """
    x, t_x, T = (histories[c].to_numpy().astype(np.float64) for c in ("x", "t_x", "T"))
    edges = np.linspace(0.0, horizon, _SLICES + 1)
    until = buying.expected_purchases(edges[1:], x, t_x, T)
    slices = np.diff(until, axis=0, prepend=0.0)
    years = (edges[:-1] + edges[1:]) / 2 * UNITS[unit] / 365.25
    discounted = ((1 + discount) ** -years) @ slices
    if spend is None:
        amount = np.full(x.size, np.nan)
    else:
        amount = spend.expected_amount(x, histories["mean_amount"].fill_null(0.0).to_numpy())
    return LifetimeValues(until[-1], discounted * amount, buying.alive(x, t_x, T))


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


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    unit: str = "week",
    horizon: float | None = None,
) -> dict[str, Any]:
    """The ``ltv`` report: keys model, customers, and beside them horizon, segments, calibration, notes.

    ``end`` ends the calibration: a date is the last day looked at, a datetime excludes its moment. ``start`` keeps
    the customers whose first purchase lies on or after it. What is on record after ``end`` (else the last third of
    the record, by a model of the first two) is held against the model in ``calibration``.

    Raises:
        InputError: the unit is neither day nor week, or the horizon is not positive.
    """
    if unit not in UNITS:
        raise InputError(f"unit {unit!r} is not known", what_to_do="give day or week")
    span = DEFAULT_HORIZON[unit] if horizon is None else float(horizon)
    if not span > 0:
        raise InputError(f"a horizon of {span} is not a length of time", what_to_do=f"give a number of {unit}s above 0")
    period, notes = Period.of(start, end, timezone), list[str]()
    first, newest = _edges(session)
    last = newest if period.end is None else local_day(period.end - 1)
    earliest = first if period.start is None else local_day(period.start)
    histories = with_times(purchase_histories(session, last, store=store), last, unit)
    histories = histories.filter(pl.col("first_day") >= earliest)
    buying, spend = _models(histories, unit, notes)
    found: dict[str, Any] = {"model": _model_block(buying, spend, unit, histories.height), "customers": []}
    if buying is not None:
        values = lifetime_values(buying, spend, histories, span, unit=unit)
        table = histories.with_columns(
            expected_purchases=pl.Series(values.purchases), p_alive=pl.Series(values.alive),
            expected_value=pl.Series(values.value, dtype=pl.Float64).fill_nan(None),
        )  # fmt: skip
        found["customers"] = table.select("customer_id", "expected_purchases", "expected_value", "p_alive").to_dicts()
        found["segments"] = _segments(table)
    hold_out = (last, newest) if newest > last else (earliest + 2 * (last - earliest) // 3, last)
    checked = _calibration(session, earliest, *hold_out, unit=unit, store=store)
    if checked is not None:
        notes += _misfits(checked["bins"])
    if buying is not None and checked is None:
        notes.append("The record is too short to hold part of it out; the model is not checked against what followed.")
    return found | {"horizon": span, "segments": found.get("segments", []), "calibration": checked, "notes": notes}


def _edges(session: Session) -> tuple[int, int]:
    """First and last local day with a sale (0 and 0 where there is none)."""
    first = session.scalar(select(func.min(PosLine.local_day)))
    last = session.scalar(select(func.max(PosLine.local_day)))
    return first or 0, last or 0


def _models(histories: pl.DataFrame, unit: str, notes: list[str]) -> tuple[BuyingModel | None, SpendModel | None]:
    x, t_x, T = (histories[c].to_numpy().astype(np.float64) for c in ("x", "t_x", "T"))
    m = histories["mean_amount"].fill_null(0.0).to_numpy()
    try:
        buying = fit_buying(x, t_x, T)
    except NotEnoughData as error:
        notes.append(error.sentence)
        return None, None
    if buying.at_bound:
        notes.append(
            "Customers differ too little, or the record is too short, to tell all parameters apart; forecasts of the"
            " whole hold better than the parameters."
        )
    try:
        spend = fit_spend(x, m)
    except NotEnoughData as error:
        notes.append(error.sentence)
        return buying, None
    if spend.at_bound:
        notes.append("Amounts differ too little to model spend; each customer's own mean amount is taken.")
    related = frequency_correlation(x, m)
    if related is not None and abs(related) > 0.3:
        notes.append(f"Spend goes with frequency (correlation {related:.2f}), which the model does not foresee.")
    return buying, spend


def _model_block(buying: BuyingModel | None, spend: SpendModel | None, unit: str, customers: int) -> dict[str, Any]:
    return {
        "r": buying.r if buying else None,
        "alpha": buying.alpha if buying else None,
        "a": buying.a if buying else None,
        "b": buying.b if buying else None,
        "p": spend.p if spend else None,
        "q": spend.q if spend else None,
        "v": spend.v if spend else None,
        "unit": unit,
        "customers": customers,
        "log_likelihood": buying.log_likelihood if buying else None,
    }


def _misfits(bins: list[dict[str, Any]]) -> list[str]:
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


def _segments(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Per tier: customers, mean expected value and purchases, and their sum."""
    return (
        table.group_by("tier")
        .agg(
            pl.len().alias("customers"),
            pl.col("expected_purchases").mean(),
            pl.col("expected_value").mean(),
            pl.col("expected_value").sum().alias("total_value"),
            pl.col("p_alive").mean(),
        )
        .sort("tier", nulls_last=True)
        .to_dicts()
    )


def _calibration(
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
