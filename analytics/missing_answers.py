"""Means and covariances of answers with gaps, by maximum likelihood.

People answer for the touchpoints they met, so most answer sheets have gaps. Dropping incomplete sheets throws most
sheets away and keeps an unusual kind of person; filling in means shrinks every correlation; correlating pair by pair
can give a matrix no data could have. We take the maximum-likelihood estimate of a multivariate normal by EM (full
information maximum likelihood): consistent where answers are missing at random given the answers that are there, and
equal to the ordinary covariance where nothing is missing.

Source: Little and Rubin, Statistical Analysis with Missing Data, 3rd ed., 2019, section 11.2. The normal model serves
for means and covariances only; its estimates stay consistent for other distributions under missing completely at
random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Mean (p,) and covariance (p, p) with the iterations taken and whether they settled."""

    mean: Array
    covariance: Array
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Patterns:
    """Rows grouped by which questions they answer; everything EM needs once per data set.

    observed: (g, p) bool, one row per pattern. member: (n,) the pattern of each row. filled: (n, p) the answers, 0
    where missing.
    """

    observed: NDArray[np.bool_]
    member: NDArray[np.intp]
    filled: Array

    @classmethod
    def of(cls, answers: Array) -> Patterns:
        """Group the rows of an (n, p) array with NaN where an answer is missing."""
        seen = ~np.isnan(answers)
        observed, member = np.unique(seen, axis=0, return_inverse=True)
        return cls(observed, member.reshape(-1), np.where(seen, answers, 0.0))

    def sums(self, weights: Array) -> tuple[Array, Array, Array]:
        """Weighted counts (g,), sums (g, p) and cross products (g, p, p) per pattern: all that EM looks at."""
        groups, width = self.observed.shape
        counts = np.bincount(self.member, weights, groups).astype(np.float64)
        weighted = self.filled * weights[:, None]
        sums = np.zeros((groups, width))
        products = np.zeros((groups, width, width))
        order = np.argsort(self.member, kind="stable")
        edges = np.searchsorted(self.member[order], np.arange(groups + 1))
        for group in range(groups):
            rows = order[edges[group] : edges[group + 1]]
            sums[group] = weighted[rows].sum(axis=0)
            products[group] = weighted[rows].T @ self.filled[rows]
        return counts, sums, products


def joint_counts(answers: Array) -> NDArray[np.int64]:
    """(p, p) number of rows that answer both questions; the diagonal counts each question's answers."""
    seen = (~np.isnan(answers)).astype(np.int64)
    return seen.T @ seen


def maximum_likelihood_moments(
    patterns: Patterns,
    weights: Array | None = None,
    *,
    start: Moments | None = None,
    tolerance: float = 1e-6,
    iterations: int = 1000,
) -> Moments:
    """Mean and covariance (divided by n, not n − 1) of rows with gaps.

    weights: (n,) how often each row counts (bootstrap counts); default one each. start: where EM begins; default the
    observed means and variances without correlation. Each question needs two differing answers.
    """
    n = patterns.filled.shape[0]
    counts, sums, products = patterns.sums(np.ones(n) if weights is None else weights)
    kept = counts > 0
    counts, sums, products, observed = counts[kept], sums[kept], products[kept], patterns.observed[kept]
    total = counts.sum()
    mean, covariance = (
        _starting_point(counts, sums, products, observed) if start is None else (start.mean, start.covariance)
    )
    if observed.all():
        mean = sums.sum(axis=0) / total
        return Moments(mean, products.sum(axis=0) / total - np.outer(mean, mean), 0, True)
    both = observed[:, :, None] & observed[:, None, :]
    identity = np.eye(mean.size)
    # Two questions answered alike by everyone would make a block singular; a billionth of variance
    # changes nothing else.
    jitter = np.diag(1e-9 * np.maximum(np.diag(covariance), 1e-12))
    for iteration in range(1, iterations + 1):
        # A missing question gets a unit row and column, so that one batched inverse serves patterns of all sizes.
        blocks = np.where(both, covariance, np.where(observed[:, :, None], 0.0, identity))
        precision = np.where(both, np.linalg.inv(blocks + jitter), 0.0)
        regression = covariance @ precision  # rows of observed questions come out as the identity, as they should
        residual = covariance - regression @ covariance
        shift = mean - np.einsum("gij,j->gi", regression, mean)
        firsts = np.einsum("gij,gj->gi", regression, sums) + counts[:, None] * shift
        seconds = regression @ products @ regression.transpose(0, 2, 1)
        cross = np.einsum("gi,gj->gij", firsts - counts[:, None] * shift, shift)
        seconds += (
            cross
            + cross.transpose(0, 2, 1)
            + counts[:, None, None] * (shift[:, :, None] * shift[:, None, :] + residual)
        )
        new_mean = firsts.sum(axis=0) / total
        new_covariance = seconds.sum(axis=0) / total - np.outer(new_mean, new_mean)
        scale = np.sqrt(np.maximum(np.diag(new_covariance), 1e-12))
        change = np.abs(new_covariance - covariance) / np.outer(scale, scale)
        moved = max(float(change.max()), float((np.abs(new_mean - mean) / scale).max()))
        mean, covariance = new_mean, new_covariance
        if moved < tolerance:
            return Moments(mean, covariance, iteration, True)
    return Moments(mean, covariance, iterations, False)


def _starting_point(counts: Array, sums: Array, products: Array, observed: NDArray[np.bool_]) -> tuple[Array, Array]:
    answered = counts @ observed
    mean = sums.sum(axis=0) / answered
    variance = np.einsum("gii->i", products) / answered - mean**2
    return mean, np.diag(np.maximum(variance, 1e-12))


def correlation(covariance: Array) -> Array:
    """Correlation matrix of a covariance matrix; a question without variance correlates with nothing."""
    scale = np.sqrt(np.diag(covariance))
    safe = np.where(scale > 0, scale, 1.0)
    matrix: Array = covariance / np.outer(safe, safe)
    np.fill_diagonal(matrix, 1.0)
    return matrix
