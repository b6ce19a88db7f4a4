"""Rows of successes out of trials at a known offset, merged by clerk: what a skill's likelihood is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.rates import Floats, counts

Codes = NDArray[np.intp]

OFFSET_BIN = 0.04  # rows of a clerk whose offsets differ by less are one row, at their mean offset


@dataclass(frozen=True)
class ClerkRows:
    """Rows merged by clerk and offset, sorted by clerk; every clerk has at least one."""

    successes: Floats
    trials: Floats
    offset: Floats
    starts: Codes
    clerk: Codes

    def log_likelihood(self, grid: Floats) -> Floats:
        """Return the log likelihood of every clerk at every skill (clerks × grid), its maximum taken as zero."""
        out = np.empty((self.starts.size, grid.size))
        for j, u in enumerate(grid):
            eta = self.offset + u
            out[:, j] = np.add.reduceat(self.successes * eta - self.trials * np.logaddexp(0.0, eta), self.starts)
        return np.asarray(out - out.max(axis=1, keepdims=True))

    def rate_curves(self, grid: Floats) -> Floats:
        """Return each clerk's mean success rate over his rows, as a function of his skill (clerks × grid)."""
        weight = self.trials + 1e-12  # a clerk without proposals is measured on his rows all the same
        total = np.add.reduceat(weight, self.starts)
        out = np.empty((self.starts.size, grid.size))
        for j, u in enumerate(grid):
            out[:, j] = np.add.reduceat(weight * special.expit(self.offset + u), self.starts) / total
        return out

    def pooled_curve(self, grid: Floats) -> Floats:
        """Return the mean success rate over the rows of all clerks, as a function of one skill for all."""
        bins, where = np.unique(np.round(self.offset / OFFSET_BIN), return_inverse=True)
        weight = counts(where, bins.size, self.trials + 1e-12)
        offset = counts(where, bins.size, self.offset * (self.trials + 1e-12)) / weight
        return np.asarray(weight @ special.expit(offset[:, None] + grid[None, :]) / weight.sum())


def merge_rows(successes: Floats, trials: Floats, offset: Floats, clerk: Codes, clerks: int) -> ClerkRows:
    """Return the rows merged by clerk and bin of offset; a clerk without rows gets an empty one."""
    absent = np.setdiff1d(np.arange(clerks), clerk)
    clerk = np.concatenate([clerk, absent])
    successes = np.concatenate([successes, np.zeros(absent.size)])
    trials = np.concatenate([trials, np.zeros(absent.size)])
    middle = float(np.average(offset, weights=trials[: offset.size] + 1e-12)) if offset.size else 0.0
    offset = np.concatenate([offset, np.full(absent.size, middle)])
    bins = np.round(offset / OFFSET_BIN).astype(np.int64)
    bins -= bins.min()
    key = clerk.astype(np.int64) * (int(bins.max()) + 1) + bins
    unique, inverse = np.unique(key, return_inverse=True)
    n = counts(inverse, unique.size, trials)
    rows = counts(inverse, unique.size)
    weighted = counts(inverse, unique.size, offset * (trials + 1e-9)) / (n + 1e-9 * rows)
    owner = unique // (int(bins.max()) + 1)
    starts = np.searchsorted(owner, np.arange(clerks))
    return ClerkRows(counts(inverse, unique.size, successes), n, weighted, starts, owner)
