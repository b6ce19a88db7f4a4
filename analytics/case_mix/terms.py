"""The terms of a case mix: how a column of a frame, or of a table in the database, becomes columns of the model.

A term is learnt once from data and can then turn any other rows into the same columns, in Python for fitting and as
SQL for scoring millions of rows where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import ColumnElement, String, case, cast, func, literal

from analytics.rates import Floats

UNKNOWN = "?"
SMALLEST = 1e-4  # a probability beyond is of no use to a logit
FARTHEST = 3.0  # standard deviations at which a number is cut off


@dataclass(frozen=True)
class LevelTerm:
    """0/1 columns of *levels* against *reference*; with *pooled* all others share a last column."""

    column: str
    reference: str
    levels: tuple[str, ...]
    pooled: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        named = tuple(f"{self.column}={level}" for level in self.levels)
        return (*named, f"{self.column}=(rare)") if self.pooled else named

    def matrix(self, values: pl.Series) -> Floats:
        """Return rows × columns; an unknown value is a level like any other."""
        texts = values.cast(pl.String).fill_null(UNKNOWN)
        columns = [(texts == level).to_numpy() for level in self.levels]
        if self.pooled:
            columns.append((~texts.is_in([self.reference, *self.levels])).to_numpy())
        return np.column_stack(columns).astype(np.float64) if columns else np.empty((len(values), 0))

    def sql(self, column: ColumnElement[Any], coefficients: Floats) -> ColumnElement[Any]:
        """Return the share of this term in a row's logit."""
        text = func.coalesce(cast(column, String), UNKNOWN)
        shares = dict(zip(self.levels, coefficients.tolist(), strict=False))
        rest = literal(float(coefficients[-1])) if self.pooled else literal(0.0)
        return case({self.reference: 0.0, **shares}, value=text, else_=rest)


@dataclass(frozen=True)
class LogitTerm:
    """The logit of a probability, centred; *sloped* where it varies, *gaps* where some are unknown."""

    column: str
    centre: float
    sloped: bool
    gaps: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (f"logit({self.column})",) * self.sloped + (f"{self.column}=?",) * self.gaps

    def matrix(self, values: pl.Series) -> Floats:
        """Return rows × columns."""
        p = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        known = np.isfinite(p)
        clipped = np.clip(np.where(known, p, 0.5), SMALLEST, 1 - SMALLEST)
        centred = np.where(known, np.log(clipped / (1 - clipped)) - self.centre, 0.0)
        return _gapped(centred, known, self.sloped, self.gaps)

    def sql(self, column: ColumnElement[Any], coefficients: Floats) -> ColumnElement[Any]:
        """Return the share of this term in a row's logit."""
        clipped = case((column < SMALLEST, SMALLEST), (column > 1 - SMALLEST, 1 - SMALLEST), else_=column)
        centred = func.ln(clipped / (literal(1.0) - clipped)) - literal(self.centre)
        return _gapped_sql(column, centred, coefficients, self.sloped, self.gaps)


@dataclass(frozen=True)
class NumberTerm:
    """A number standardised and cut off; *sloped* where it varies, *gaps* where some are unknown."""

    column: str
    centre: float
    spread: float
    sloped: bool
    gaps: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (self.column,) * self.sloped + (f"{self.column}=?",) * self.gaps

    def matrix(self, values: pl.Series) -> Floats:
        """Return rows × columns."""
        x = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        known = np.isfinite(x)
        away = (np.where(known, x, self.centre) - self.centre) / (self.spread or 1.0)
        return _gapped(np.clip(away, -FARTHEST, FARTHEST), known, self.sloped, self.gaps)

    def sql(self, column: ColumnElement[Any], coefficients: Floats) -> ColumnElement[Any]:
        """Return the share of this term in a row's logit."""
        away = (column - literal(self.centre)) / literal(self.spread or 1.0)
        cut = case((away < -FARTHEST, -FARTHEST), (away > FARTHEST, FARTHEST), else_=away)
        return _gapped_sql(column, cut, coefficients, self.sloped, self.gaps)


Term = LevelTerm | LogitTerm | NumberTerm


def _gapped(values: Floats, known: np.ndarray[Any, np.dtype[np.bool_]], sloped: bool, gaps: bool) -> Floats:
    columns = [values] * sloped + [(~known).astype(np.float64)] * gaps
    return np.column_stack(columns) if columns else np.empty((values.size, 0))


def _gapped_sql(
    column: ColumnElement[Any], value: ColumnElement[Any], coefficients: Floats, sloped: bool, gaps: bool
) -> ColumnElement[Any]:
    slope = float(coefficients[0]) if sloped else 0.0
    gap = float(coefficients[-1]) if gaps else 0.0
    return case((column.is_(None), literal(gap)), else_=value * literal(slope))


def level_term(values: pl.Series, weights: Floats, *, min_weight: float) -> LevelTerm | None:
    """Learn the levels of *values*: the most frequent is the reference, those below *min_weight* are pooled.

    None where there is but one level. Rare levels that do not carry *min_weight* together count as the reference.
    """
    levels, codes = np.unique(values.cast(pl.String).fill_null(UNKNOWN).to_numpy(), return_inverse=True)
    if levels.size < 2:
        return None
    support = np.bincount(codes, weights=weights, minlength=levels.size)
    reference = int(np.argmax(support))
    kept = tuple(str(levels[i]) for i in np.flatnonzero(support >= min_weight) if i != reference)
    rare = (support < min_weight) & (np.arange(levels.size) != reference)
    pooled = bool(rare.any() and support[rare].sum() >= min_weight)
    return LevelTerm(values.name, str(levels[reference]), kept, pooled)


def logit_term(probability: pl.Series, weights: Floats) -> LogitTerm | None:
    """Learn the centre of a probability's logit; None where none is known."""
    p = probability.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = np.isfinite(p) & (weights > 0)
    if not known.any():
        return None
    clipped = np.clip(p[known], SMALLEST, 1 - SMALLEST)
    logit = np.log(clipped / (1 - clipped))
    centre = float(np.average(logit, weights=weights[known]))
    return LogitTerm(probability.name, centre, float(np.ptp(logit)) > 1e-9, not np.isfinite(p).all())


def number_term(values: pl.Series, weights: Floats) -> NumberTerm | None:
    """Learn centre and spread of a number; None where none is known."""
    x = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = np.isfinite(x) & (weights > 0)
    if not known.any():
        return None
    centre = float(np.average(x[known], weights=weights[known]))
    spread = float(np.sqrt(np.average((x[known] - centre) ** 2, weights=weights[known])))
    return NumberTerm(values.name, centre, spread, spread > 1e-9, not np.isfinite(x).all())
