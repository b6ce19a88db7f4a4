"""Arrivals per slot of the day as a day's total times the shape of such a day.

Question: how many will come in each quarter hour of the coming days? Estimate: a Poisson regression of the day's total
(weekday, holiday, eve, New Year, Obon, yearly wave; recent days weigh more) times the share of each slot in days of
that kind, shrunk to the shape of all days. Interval: a negative binomial that carries how far days and slots strayed
from this in the past. Wrong if: something happens that never happened before (a new competitor, a typhoon).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from scipy import stats

from analytics.case_mix import fit_poisson
from analytics.forecast.calendar import SEASON_DAYS, day_kinds, day_matrix
from analytics.rates import Floats
from journey.errors import NotEnoughData

HALF_LIFE_DAYS = 120.0
PROFILE_STRENGTH = 4.0  # days of the common shape that a weekday's own shape is blended with
RIDGE = 2.0  # on log factors of days; holidays are few, and one odd holiday is no law


@dataclass(frozen=True)
class ArrivalModel:
    """A fitted model of one store; *slots* are the slots of the day (0…n−1) it knows as open."""

    coefficients: Floats
    seasonal: bool
    profile: Floats  # kinds of day × slots, rows sum to 1
    day_variance: Floats  # one value: variance of log(total / expected) beyond chance
    slot_dispersion: float  # variance factor of a slot beyond Poisson and beyond its day, ≥ 1
    country: str

    def expect(self, days: Sequence[date]) -> Floats:
        """Return the expected arrivals (days × slots)."""
        kinds = day_kinds(days, self.country)
        totals = np.exp(day_matrix(kinds, seasonal=self.seasonal) @ self.coefficients)
        return np.asarray(totals[:, None] * self.profile[kinds.profile])

    def strength(self, expected: Floats) -> Floats:
        """Return k of the negative binomial with that mean: variance m + m²/k."""
        m = np.maximum(expected, 1e-9)
        beyond = (self.slot_dispersion - 1) * m + float(self.day_variance[0]) * m**2
        return np.asarray(np.clip(m**2 / np.maximum(beyond, 1e-12), 0.05, 1e6))

    def quantile(self, expected: Floats, probability: float) -> Floats:
        """Return the quantile of the arrivals in slots of *expected* arrivals."""
        k = self.strength(expected)
        q = stats.nbinom.ppf(probability, k, k / (k + np.maximum(expected, 1e-9)))
        return np.where(expected > 0, q, 0.0)


def fit_arrivals(days: Sequence[date], arrivals: Floats, *, country: str = "JP") -> ArrivalModel:
    """Fit the model to *arrivals* (days × slots, NaN where nothing was counted).

    A day with gaps counts as much as it was counted. Raises NotEnoughData without a single day with arrivals, and
    where no day was counted for a fifth of its usual hours (a shop that sells something now and then).
    """
    known = np.isfinite(arrivals)
    counted = np.where(known, arrivals, 0.0)
    if counted.sum() <= 0:
        raise NotEnoughData("no arrivals at all", where="fit_arrivals", what_to_do="import traffic or receipts")
    kinds = day_kinds(days, country)
    common = counted.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    common = common / common.sum()
    covered = known @ common  # share of a usual day that was counted
    usable = covered > 0.2
    if not usable.any():
        raise NotEnoughData("no day counted through", where="fit_arrivals", what_to_do="import traffic of whole days")
    profile = np.stack(
        [_shape(counted[usable & (kinds.profile == kind)], covered[usable & (kinds.profile == kind)], common)
         for kind in range(7)]
    )  # fmt: skip
    span = (max(days) - min(days)).days + 1
    seasonal = span >= SEASON_DAYS
    matrix = day_matrix(kinds, seasonal=seasonal)[usable]
    totals = counted.sum(axis=1)[usable]
    age = np.array([(max(days) - d).days for d in days], dtype=np.float64)[usable]
    ridge = np.full(matrix.shape[1], RIDGE)
    ridge[0] = 1e-6
    # Total counts are large, so the ridge is put on the scale of their information to mean «days», not «customers».
    ridge[1:] *= max(float(totals.mean()), 1.0) * 0.25
    fit = fit_poisson(matrix, totals, exposure=covered[usable], weights=0.5 ** (age / HALF_LIFE_DAYS), ridge=ridge)
    expected_totals = fit.fitted
    log_ratio_variance = float(np.mean((totals - expected_totals) ** 2 / expected_totals**2 - 1 / expected_totals))
    # With few days the residuals flatter: each coefficient has eaten one.
    freedom = max(1.0, usable.sum() - min(8, usable.sum() // 2))
    day_variance = max(log_ratio_variance * usable.sum() / freedom, 0.25 / (usable.sum() + 4))
    model = ArrivalModel(fit.coefficients, seasonal, profile, np.array([day_variance]), 1.0, country)
    within_day = model.profile[kinds.profile] * (counted.sum(axis=1) / np.maximum(covered, 1e-9))[:, None]
    open_slots = known & usable[:, None] & (within_day > 0.2)
    chi2 = (counted - within_day) ** 2 / np.maximum(within_day, 1e-9)
    slot_dispersion = max(1.0, float(chi2[open_slots].mean())) if open_slots.any() else 1.0
    return ArrivalModel(fit.coefficients, seasonal, profile, np.array([day_variance]), slot_dispersion, country)


def _shape(counted: Floats, covered: Floats, common: Floats) -> Floats:
    """Return the share of each slot in days like these, blended with the common shape."""
    if counted.size == 0:
        return common
    typical = float(counted.sum() / max(covered.sum(), 1e-9))
    blended = counted.sum(axis=0) + PROFILE_STRENGTH * typical * common
    return np.asarray(blended / blended.sum())


def slot_matrix(frame: pl.DataFrame, slots_per_day: int = 96) -> tuple[list[date], Floats]:
    """Return days and arrivals (days × slots) of a frame with day, slot and arrivals; NaN where there is no row.

    An hour that the clock shows twice counts with its mean: so many came per quarter hour.
    """
    if frame.is_empty():
        return [], np.empty((0, slots_per_day))
    first, last = frame["day"].min(), frame["day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    days = pl.date_range(first, last, eager=True).to_list()
    place = (frame["day"] - first).dt.total_days().to_numpy() * slots_per_day + frame["slot"].to_numpy()
    size = len(days) * slots_per_day
    rows = np.bincount(place, minlength=size)
    sums = np.bincount(place, weights=frame["arrivals"].to_numpy(), minlength=size)
    matrix = np.divide(sums, rows, out=np.full(size, np.nan), where=rows > 0)
    return days, matrix.reshape(len(days), slots_per_day)
