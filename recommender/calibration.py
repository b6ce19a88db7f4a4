"""Calibrated probabilities: a monotone curve from score to observed rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        from sklearn.isotonic import IsotonicRegression  # serving applies curves and learns none

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


def logistic(
    x: NDArray[np.float64], happened: Flags, centre: NDArray[np.float64], penalty: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of a logistic regression of `happened` on the columns of `x`, drawn towards `centre` by half the squared
    distance times `penalty`; by Newton's method, each step halved until it does not lead uphill.
    """

    def loss(beta: NDArray[np.float64]) -> float:
        told = x @ beta
        return float((np.logaddexp(0.0, told) - happened * told).sum() + 0.5 * (penalty * (beta - centre) ** 2).sum())

    beta, here = centre.copy(), loss(centre)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (p - happened) + penalty * (beta - centre)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        while (there := loss(beta - step)) > here and np.abs(step).max() > 1e-9:
            step = step / 2
        beta, here = beta - step, there
        if np.abs(step).max() < 1e-9:
            break
    return beta
