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
from analytics.purchase_histories import UNITS, purchase_histories, with_times
from analytics.repeat_buying import BuyingModel, fit_buying
from analytics.spend import SpendModel, fit_spend, frequency_correlation
from analytics.value_calibration import held_out, misfits
from journey.errors import InputError, NotEnoughData
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE

Floats = NDArray[np.float64]

YEARLY_DISCOUNT = 0.10
DEFAULT_HORIZON = {"day": 365.0, "week": 52.0}
_SLICES = 12


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
    # Days after the last sale on record are not silence of the customers but of the record.
    last = newest if period.end is None else min(newest, local_day(period.end - 1, timezone))
    earliest = first if period.start is None else local_day(period.start, timezone)
    histories = with_times(purchase_histories(session, last, store=store), last, unit)
    histories = histories.filter(pl.col("first_day") >= earliest)
    buying, spend = _models(histories, notes)
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
    checked = held_out(session, earliest, *hold_out, unit=unit, store=store)
    if checked is not None:
        notes += misfits(checked["bins"])
    if buying is not None and checked is None:
        notes.append("The record is too short to hold part of it out; the model is not checked against what followed.")
    return found | {"horizon": span, "segments": found.get("segments", []), "calibration": checked, "notes": notes}


def customer_values(session: Session, period: Period, timezone: str = DEFAULT_TIMEZONE) -> pl.DataFrame:
    """Value of every customer over the coming year: person ("c:" + id), value, p_alive; empty where it cannot be told.

    Known is what was bought up to the period's end.
    """
    empty = pl.DataFrame(schema={"person": pl.String, "value": pl.Float64, "p_alive": pl.Float64})
    newest = _edges(session)[1]
    last = newest if period.end is None else min(newest, local_day(period.end - 1, timezone))
    histories = with_times(purchase_histories(session, last), last, "week")
    buying, spend = _models(histories, [])
    if buying is None or spend is None:
        return empty
    values = lifetime_values(buying, spend, histories, DEFAULT_HORIZON["week"])
    return histories.select(
        (pl.lit("c:") + pl.col("customer_id")).alias("person"),
        pl.Series("value", values.value, pl.Float64),
        pl.Series("p_alive", values.alive, pl.Float64),
    )


def _edges(session: Session) -> tuple[int, int]:
    """First and last local day with a sale (0 and 0 where there is none)."""
    first = session.scalar(select(func.min(PosLine.local_day)))
    last = session.scalar(select(func.max(PosLine.local_day)))
    return first or 0, last or 0


def _models(histories: pl.DataFrame, notes: list[str]) -> tuple[BuyingModel | None, SpendModel | None]:
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


def _segments(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Per tier, the most valuable first: customers, mean expected value and purchases, and their sum."""
    return (
        table.group_by("tier")
        .agg(
            pl.len().alias("customers"),
            pl.col("expected_purchases").mean(),
            pl.col("expected_value").mean(),
            pl.col("expected_value").sum().alias("total_value"),
            pl.col("p_alive").mean(),
        )
        .sort("expected_value", "tier", descending=[True, False], nulls_last=True)
        .to_dicts()
    )
