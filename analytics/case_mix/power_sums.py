"""Logits of many proposals kept as five sums, and given back as three points.

Of a clerk's proposals the posterior needs their logits only through smooth means such as Σ log(1 + exp(η + u)). The
sums of the first five powers of η add up over days and fix the three-point Gauss rule of their distribution (Golub and
Welsch 1969), which gives such means back to a few thousandths, and to the sixth moment exactly.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.rates import Floats

OFFSETS = ("offset_1", "offset_2", "offset_3", "offset_4", "offset_5")
POINTS = 3


def with_power_sums(frame: pl.DataFrame, offsets: Floats, weight: str = "proposed") -> pl.DataFrame:
    """Return *frame* with the columns OFFSETS: its *weight* times the powers of *offsets*."""
    weights = frame[weight].cast(pl.Float64).to_numpy()
    return frame.with_columns(pl.Series(name, weights * offsets**power) for power, name in enumerate(OFFSETS, 1))


def three_points(sums: pl.DataFrame, weight: str = "proposed") -> tuple[Floats, Floats]:
    """Return points (rows × 3) and their number of proposals (rows × 3) for the rows of *sums*.

    Rows without proposals sit at the mean of all rows.
    """
    n = sums[weight].cast(pl.Float64).to_numpy()
    some = n > 0
    safe = np.where(some, n, 1.0)
    raw = np.stack([sums[name].to_numpy() / safe for name in OFFSETS], axis=1)
    overall = float(n @ raw[:, 0] / n.sum()) if n.sum() > 0 else 0.0
    mean = np.where(some, raw[:, 0], overall)
    variance = np.where(some, raw[:, 1] - mean**2, 0.0)
    spread = np.sqrt(np.maximum(variance, 0.0))
    # Below this the proposals are alike, and what is left of the sums is rounding.
    wide = spread > 1e-4
    s = np.where(wide, spread, 1.0)
    m2, m3, m4, m5 = (raw[:, k] for k in range(1, 5))
    third = (m3 - 3 * mean * m2 + 2 * mean**3) / s**3
    fourth = (m4 - 4 * mean * m3 + 6 * mean**2 * m2 - 3 * mean**4) / s**4
    fifth = (m5 - 5 * mean * m4 + 10 * mean**2 * m3 - 10 * mean**3 * m2 + 4 * mean**5) / s**5
    third, fourth, fifth = (np.where(wide, value, 0.0) for value in (third, fourth, fifth))
    # Recurrence of the monic orthogonal polynomials 1, x, x² − third·x − 1 of the standardised distribution.
    norm = np.where(wide, fourth - third**2 - 1, 0.0)
    three = norm > 1e-6
    last = np.where(three, (fifth + third**3 - 2 * third * fourth) / np.where(three, norm, 1.0), third)
    # A last diagonal far outside of the range is rounding, not a proposal.
    last = np.clip(last, -25.0, 25.0)
    jacobi = np.zeros((n.size, POINTS, POINTS))
    jacobi[:, 0, 1] = jacobi[:, 1, 0] = np.where(wide, 1.0, 0.0)
    jacobi[:, 1, 1] = third
    jacobi[:, 1, 2] = jacobi[:, 2, 1] = np.sqrt(np.where(three, norm, 0.0))
    jacobi[:, 2, 2] = last
    points, vectors = np.linalg.eigh(jacobi)
    share = vectors[:, 0, :] ** 2
    return mean[:, None] + spread[:, None] * np.where(wide[:, None], points, 0.0), n[:, None] * share
