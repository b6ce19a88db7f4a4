"""Design matrices from frames: levels to columns, with rare levels pooled so that every column is supported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.rates import Floats

UNKNOWN = "?"


@dataclass(frozen=True)
class Design:
    """A matrix of rows × columns with the names of its columns; the first column is the intercept."""

    matrix: Floats
    names: tuple[str, ...]


def level_matrix(values: pl.Series, weights: Floats, *, min_weight: float) -> tuple[Floats, tuple[str, ...]]:
    """Return 0/1 columns of the levels of *values* against the most frequent one (the reference).

    Levels that carry less than *min_weight* are pooled into one; an unknown value is a level like any other.
    """
    levels, codes = np.unique(values.cast(pl.String).fill_null(UNKNOWN).to_numpy(), return_inverse=True)
    if levels.size < 2:
        return np.empty((len(values), 0)), ()
    support = np.bincount(codes, weights=weights, minlength=levels.size)
    reference = int(np.argmax(support))
    kept = [int(i) for i in np.flatnonzero(support >= min_weight) if i != reference]
    rare = (support < min_weight) & (np.arange(levels.size) != reference)
    columns = [(codes == i).astype(np.float64) for i in kept]
    names = [f"{values.name}={levels[i]}" for i in kept]
    if rare.any() and support[rare].sum() >= min_weight:
        columns.append(rare[codes].astype(np.float64))
        names.append(f"{values.name}=(rare)")
    matrix = np.column_stack(columns) if columns else np.empty((len(values), 0))
    return matrix, tuple(names)


def logit_columns(probability: pl.Series, weights: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Return the centred logit of a probability, with an indicator where it is unknown for some rows only."""
    p = probability.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = np.isfinite(p) & (weights > 0)
    if not known.any():
        return np.empty((p.size, 0)), ()
    clipped = np.clip(np.where(known, p, 0.5), 1e-4, 1 - 1e-4)
    logit = np.log(clipped / (1 - clipped))
    centre = float(np.average(logit[known], weights=weights[known]))
    centred = np.where(known, logit - centre, 0.0)
    columns, names = [], []
    if float(np.ptp(logit[known])) > 1e-9:
        columns.append(centred)
        names.append(f"logit({probability.name})")
    if not known.all():
        columns.append((~known).astype(np.float64))
        names.append(f"{probability.name}=?")
    return (np.column_stack(columns) if columns else np.empty((p.size, 0))), tuple(names)


def number_columns(values: pl.Series, weights: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Return a number standardised and cut off at ±3, with an indicator where it is unknown for some rows only."""
    x = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    known = np.isfinite(x) & (weights > 0)
    if not known.any():
        return np.empty((x.size, 0)), ()
    centre = float(np.average(x[known], weights=weights[known]))
    spread = float(np.sqrt(np.average((x[known] - centre) ** 2, weights=weights[known])))
    columns, names = [], []
    if spread > 1e-9:
        columns.append(np.where(known, np.clip((np.where(known, x, centre) - centre) / spread, -3, 3), 0.0))
        names.append(values.name)
    if not known.all():
        columns.append((~known).astype(np.float64))
        names.append(f"{values.name}=?")
    return (np.column_stack(columns) if columns else np.empty((x.size, 0))), tuple(names)


def build_design(
    frame: pl.DataFrame,
    *,
    weights: Floats,
    levels: Sequence[str] = (),
    probabilities: Sequence[str] = (),
    numbers: Sequence[str] = (),
    min_weight: float = 20.0,
) -> Design:
    """Return intercept, logits of *probabilities*, standardised *numbers* and dummies of *levels*, columns of *frame*.

    *weights* is the number of observations behind each row. Columns missing from the frame are left out.
    """
    parts: list[Floats] = [np.ones((frame.height, 1))]
    names: list[str] = ["intercept"]
    for column in (c for c in probabilities if c in frame.columns):
        matrix, found = logit_columns(frame[column], weights)
        parts.append(matrix)
        names.extend(found)
    for column in (c for c in numbers if c in frame.columns):
        matrix, found = number_columns(frame[column], weights)
        parts.append(matrix)
        names.extend(found)
    for column in (c for c in levels if c in frame.columns):
        matrix, found = level_matrix(frame[column], weights, min_weight=min_weight)
        parts.append(matrix)
        names.extend(found)
    return Design(np.hstack(parts), tuple(names))
