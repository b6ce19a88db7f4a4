"""Design matrices from frames: levels to columns, with rare levels pooled so that every column is supported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.case_mix.terms import Term, level_term, logit_term, number_term
from analytics.rates import Floats


@dataclass(frozen=True)
class Design:
    """A matrix of rows × columns with the names of its columns (the first is the intercept) and the *terms* behind."""

    matrix: Floats
    names: tuple[str, ...]
    terms: tuple[Term, ...]


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
    found = [
        *(logit_term(frame[c], weights) for c in probabilities if c in frame.columns),
        *(number_term(frame[c], weights) for c in numbers if c in frame.columns),
        *(level_term(frame[c], weights, min_weight=min_weight) for c in levels if c in frame.columns),
    ]
    terms = tuple(term for term in found if term is not None and term.names)
    return Design(design_matrix(frame, terms), ("intercept", *(name for t in terms for name in t.names)), terms)


def design_matrix(frame: pl.DataFrame, terms: Sequence[Term]) -> Floats:
    """Return the columns of *terms* for the rows of *frame*, the intercept first."""
    return np.hstack([np.ones((frame.height, 1)), *(term.matrix(frame[term.column]) for term in terms)])
