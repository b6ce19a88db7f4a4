"""Who is moved by a proposal: models of the individual effect, and the Qini curve that judges them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analytics.case_mix import GlmFit, fit_logistic
from analytics.rates import Floats, as_floats
from journey.errors import NotEnoughData

RIDGE = 1.0


@dataclass(frozen=True)
class UpliftModel:
    """Two logistic models, one per arm, on standardised features; the uplift is their difference."""

    treated: GlmFit
    control: GlmFit
    centre: Floats
    scale: Floats

    def predict(self, features: ArrayLike) -> Floats:
        """Return the expected uplift of each row of *features* (rows × features)."""
        X = self._design(np.asarray(features, dtype=np.float64))
        return _mean(X, self.treated) - _mean(X, self.control)

    def _design(self, features: Floats) -> Floats:
        return np.column_stack([np.ones(features.shape[0]), (features - self.centre) / self.scale])


def fit_uplift(features: ArrayLike, treated: ArrayLike, outcome: ArrayLike) -> UpliftModel:
    """Fit a two-model learner (Hansotia and Rukstales 2002) to a randomised experiment with a 0/1 *outcome*.

    *features* is rows × features, *treated* 0/1. Raises NotEnoughData where an arm has fewer than ten rows, or only
    one kind of outcome.
    """
    X, t, y = np.asarray(features, dtype=np.float64), as_floats(treated) > 0.5, as_floats(outcome)
    for name, side in (("treated", t), ("control", ~t)):
        if side.sum() < 10 or np.ptp(y[side]) == 0:
            raise NotEnoughData(
                f"{int(side.sum())} {name} rows", where="fit_uplift", what_to_do="wait for more outcomes of both kinds"
            )
    centre, scale = X.mean(axis=0), np.maximum(X.std(axis=0), 1e-9)
    design = np.column_stack([np.ones(X.shape[0]), (X - centre) / scale])
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 1e-6
    models = [fit_logistic(design[side], y[side], ridge=ridge) for side in (t, ~t)]
    return UpliftModel(models[0], models[1], centre, scale)


def _mean(X: Floats, model: GlmFit) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(X @ model.coefficients, -30, 30))))


@dataclass(frozen=True)
class QiniCurve:
    """*share* of customers addressed, best first, and the extra outcomes per customer of the whole at that share.

    *coefficient* is the area between the curve and the straight line of a random order (0: no better than chance),
    with its interval under reshuffled scores' standard deviation.
    """

    share: Floats
    gain: Floats
    coefficient: float
    low: float
    high: float


def _curve(order: np.ndarray[tuple[int], np.dtype[np.intp]], t: Floats, y: Floats) -> Floats:
    """Return Radcliffe's (2007) incremental outcomes per customer along *order*."""
    treated, control = np.cumsum(t[order]), np.cumsum(1 - t[order])
    gained, lost = np.cumsum((y * t)[order]), np.cumsum((y * (1 - t))[order])
    scaled = np.where(control > 0, lost * treated / np.maximum(control, 1), 0.0)
    return np.concatenate([[0.0], (gained - scaled) / max(t.sum(), 1.0)])


def qini(
    score: ArrayLike, treated: ArrayLike, outcome: ArrayLike, *, replicates: int = 200, seed: int = 1
) -> QiniCurve:
    """Return the Qini curve of *score* on a randomised experiment it was not fitted to, interval by bootstrap."""
    s, t, y = as_floats(score), (as_floats(treated) > 0.5).astype(np.float64), as_floats(outcome)
    n = s.size

    def area(rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> tuple[float, Floats]:
        order = rows[np.argsort(-s[rows], kind="stable")]
        gain = _curve(order, t, y)
        share = np.linspace(0, 1, gain.size)
        return float(np.trapezoid(gain - gain[-1] * share, share)), gain

    coefficient, gain = area(np.arange(n))
    rng = np.random.default_rng(seed)
    drawn = np.array([area(rng.integers(0, n, n))[0] for _ in range(replicates)])
    low, high = np.quantile(drawn, [0.025, 0.975]) if replicates else (np.nan, np.nan)
    return QiniCurve(np.linspace(0, 1, n + 1), gain, coefficient, float(low), float(high))
