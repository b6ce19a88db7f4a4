"""Calibrated probabilities: a monotone curve from score to observed rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from recommender.baskets import Flags, Floats

FEWEST = 20
"""Outcomes of the rarer kind below which a curve is not worth more than the mean."""


@dataclass(frozen=True)
class Calibration:
    """A non-decreasing, piecewise linear curve through `score` (ascending) and `probability`."""

    score: Floats
    probability: Floats

    @classmethod
    def learnt(cls, score: Floats, happened: Flags) -> "Calibration":
        """Isotonic regression (Zadrozny & Elkan 2002) of what happened on the score.

        Steps are joined through the middle of each, so that different scores seldom share a probability.
        """
        mean = float(happened.mean()) if len(happened) else 0.0
        if min(happened.sum(), (~happened).sum()) < FEWEST:
            return cls(np.zeros(1, np.float32), np.full(1, mean, np.float32))
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit_transform(score, happened.astype(np.float64))
        order = np.argsort(score, kind="stable")
        ordered, level = score[order], np.asarray(fitted)[order]
        edges = np.flatnonzero(np.diff(level, prepend=-1.0))
        sizes = np.diff(np.append(edges, len(level)))
        middle = np.add.reduceat(ordered.astype(np.float64), edges) / sizes
        return cls(middle.astype(np.float32), level[edges].astype(np.float32))

    def __call__(self, score: Floats) -> Floats:
        """The probability of each score, between the curve's ends."""
        return np.interp(score, self.score, self.probability).astype(np.float32)


def platt(score: Floats, happened: Flags, prior: Floats | None = None) -> NDArray[np.float64]:
    """Intercept and slope of a logistic curve through few outcomes (Platt 1999), drawn towards (0, 1).

    `score` is a logit; the penalty equals about ten outcomes, so that few taps move the curve little. `prior` weighs
    the outcomes.
    """
    weight = np.ones(len(score)) if prior is None else prior.astype(np.float64)
    x = np.stack([np.ones(len(score)), score.astype(np.float64)], axis=1)
    beta, centre, penalty = np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 10.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (weight * (p - happened)) + penalty * (beta - centre)
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        beta = beta - step
        if np.abs(step).max() < 1e-9:
            break
    return beta
