"""How much of R² each predictor accounts for: LMG (Shapley) shares and Johnson's relative weights.

Both work on correlations alone, so that gaps in the answers are dealt with before (analytics.missing_answers).
"""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXACT_UP_TO = 15
"""Predictors up to which LMG looks at every subset; beyond it, at a seeded sample of orderings."""

_NOTHING_LEFT = 1e-10


def subset_r_squared(correlations: Array, target: Array) -> Array:
    """R² of the outcome on every subset of the predictors.

    correlations: (..., p, p) among predictors. target: (..., p) with the outcome. Leading axes are batches (bootstrap
    repeats). Returns (2**p, ...), subset s holding predictor j when bit j of s is set. A predictor that is a linear
    combination of those already in adds nothing, so that collinear questions are no error.
    """
    p = correlations.shape[-1]
    batch = correlations.shape[:-2]
    full = np.empty((1, *batch, p + 1, p + 1))
    full[..., :p, :p] = correlations
    full[..., p, :p] = full[..., :p, p] = target
    full[..., p, p] = 1.0
    # Level j holds the partial covariances of predictors j.. and the outcome given each subset of the first j.
    level = full
    for _ in range(p):
        pivot = level[..., 0, 0]
        usable = pivot > _NOTHING_LEFT
        slope = np.where(usable, 1.0 / np.where(usable, pivot, 1.0), 0.0)
        column = level[..., 1:, 0]
        rest = level[..., 1:, 1:]
        with_it = rest - slope[..., None, None] * column[..., :, None] * column[..., None, :]
        level = np.concatenate([rest, with_it], axis=0)
    # Appending the "with" half at each step makes predictor j the bit of weight 2**j.
    unexplained: Array = level[..., 0, 0]
    return np.clip(1.0 - unexplained, 0.0, 1.0)


def lmg(correlations: Array, target: Array) -> Array:
    """LMG shares of R²: each predictor's gain in R² averaged over all orders of entry; they add up to R².

    Shapes as in subset_r_squared; returns (..., p). Exact up to EXACT_UP_TO predictors, else over 2,000 orderings drawn
    with a fixed seed. Source: Lindeman, Merenda and Gold 1980; Grömping, J. Stat. Softw. 17(1), 2006.
    """
    p = correlations.shape[-1]
    if p == 0:
        return np.zeros(target.shape)
    if p > EXACT_UP_TO:
        return _sampled_lmg(correlations, target)
    r_squared = subset_r_squared(correlations, target)
    subsets = np.arange(2**p)
    size = np.array([int(s).bit_count() for s in subsets])
    shares = np.empty(target.shape)
    for j in range(p):
        without = subsets[(subsets >> j) & 1 == 0]
        weight = np.array([factorial(k) * factorial(p - k - 1) / factorial(p) for k in size[without]])
        gain = r_squared[without | (1 << j)] - r_squared[without]
        shares[..., j] = np.tensordot(weight, gain, axes=1)
    return shares


def _sampled_lmg(correlations: Array, target: Array, orderings: int = 2000) -> Array:
    p = correlations.shape[-1]
    draw = np.random.default_rng(20060101)
    shares = np.zeros(target.shape)
    for _ in range(orderings):
        order = draw.permutation(p)
        gain = _sequential_gains(correlations[..., order[:, None], order], target[..., order])
        shares[..., order] += gain
    return shares / orderings


def _sequential_gains(correlations: Array, target: Array) -> Array:
    """Gain in R² of each predictor when they enter in the given order, (..., p)."""
    matrix = correlations.copy()
    rest = target.copy()
    gains = np.empty(target.shape)
    for j in range(target.shape[-1]):
        pivot = matrix[..., j, j]
        usable = pivot > _NOTHING_LEFT
        slope = np.where(usable, 1.0 / np.where(usable, pivot, 1.0), 0.0)
        gains[..., j] = slope * rest[..., j] ** 2
        column = matrix[..., :, j].copy()
        rest = rest - slope[..., None] * column * rest[..., j, None]
        matrix -= slope[..., None, None] * column[..., :, None] * column[..., None, :]
    return gains


def relative_weights(correlations: Array, target: Array) -> Array:
    """Johnson's relative weights, which add up to R².

    Shapes as in subset_r_squared; returns (..., p). The predictors are replaced by their closest orthogonal
    counterparts, whose contributions are split back. Source: Johnson, Multivariate Behavioral Research 35(1), 2000.
    """
    values, vectors = np.linalg.eigh(correlations)
    root = np.sqrt(np.clip(values, 0.0, None))
    usable = root > np.sqrt(_NOTHING_LEFT)
    inverse = np.where(usable, 1.0 / np.where(usable, root, 1.0), 0.0)
    loadings = (vectors * root[..., None, :]) @ vectors.swapaxes(-1, -2)
    whitening = (vectors * inverse[..., None, :]) @ vectors.swapaxes(-1, -2)
    slopes = np.einsum("...ij,...j->...i", whitening, target)
    weights: Array = np.einsum("...ij,...j->...i", loadings**2, slopes**2)
    return weights


def explained(correlations: Array, target: Array) -> NDArray[np.float64]:
    """R² of the outcome on all predictors, (...)."""
    total: Array = relative_weights(correlations, target).sum(axis=-1)
    return total
