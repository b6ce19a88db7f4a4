"""The value of a policy that was not used, from the log of one that was; and the refusal to say where it cannot.

Question: what would the reward per suggestion have been had another policy chosen? Estimates: inverse propensity
weighting (IPW), self-normalised (SNIPW), the direct method (DM) and doubly robust (DR, Dudík et al. 2014), each with
the interval of its influence function (that of DM knows nothing of its model's errors). Wrong if: the logged
propensities are not those used, or the other policy shows what the log never shows – the effective sample size, the
largest weight and the mean weight (1 under overlap) tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analytics.rates import Floats, as_floats, normal_quantile
from journey.errors import InputError

Verdict = Literal["reliable", "wide", "no_overlap"]

LEAST_ESS = 30.0
LEAST_ESS_SHARE = 0.01
MOST_MASS_MISSING = 0.1  # of the other policy's choices that the log cannot show
MOST_HALF_WIDTH = 0.5  # of the value itself; beyond that the number helps nobody to choose
MOST_WEIGHT_SHARE = 0.05  # of all weight on one row


@dataclass(frozen=True)
class PolicyValue:
    """Estimates of reward per row, *intervals* by estimator, and how far they can be trusted.

    *low* and *high* belong to the doubly robust value. *mean_weight* is 1 up to chance where the log overlaps.
    """

    ipw: float
    snipw: float
    dm: float
    dr: float
    low: float
    high: float
    intervals: dict[str, tuple[float, float]]
    n: float
    ess: float
    max_weight: float
    mean_weight: float
    verdict: Verdict


def evaluate_policy(
    reward: ArrayLike,
    propensity: ArrayLike,
    target: ArrayLike,
    *,
    expected_logged: ArrayLike | None = None,
    expected_target: ArrayLike | None = None,
    count: ArrayLike | None = None,
    missing_mass: float | None = None,
    level: float = 0.95,
) -> PolicyValue:
    """Return the value of a policy from logged rows.

    *reward* of each row, the *propensity* with which the log chose its action and the probability *target* with which
    the other policy would have. *expected_logged* is a model's reward of the logged action, *expected_target* its
    mean over the other policy's actions in that context; without them the model is the mean reward. *count* lets one
    row stand for many alike. *missing_mass* is the part of the other policy's choices that the log can never show,
    where that is known. Raises InputError for propensities outside (0, 1] or without rows.
    """
    r, p, t = as_floats(reward), as_floats(propensity), as_floats(target)
    if r.size == 0:
        raise InputError("no logged rows", where="evaluate_policy", what_to_do="log suggestions with their propensity")
    if np.any(p <= 0) or np.any(p > 1) or not np.all(np.isfinite(p)):
        raise InputError(
            "propensities must lie above 0 and up to 1", where="evaluate_policy", what_to_do="leave such rows out"
        )
    c = np.ones_like(r) if count is None else as_floats(count)
    n = float(c.sum())
    mean_reward = float(c @ r) / n
    q = np.full_like(r, mean_reward) if expected_logged is None else as_floats(expected_logged)
    v = np.full_like(r, mean_reward) if expected_target is None else as_floats(expected_target)
    w = t / p
    z = normal_quantile(level)
    total = float(c @ w)

    def mean_of(influence: Floats) -> tuple[float, float]:
        mean = float(c @ influence) / n
        return mean, float(np.sqrt(max(float(c @ (influence - mean) ** 2), 0.0))) / n

    def interval(value: float, error: float) -> tuple[float, float]:
        return value - z * error, value + z * error

    ipw, ipw_error = mean_of(w * r)
    snipw = float(c @ (w * r)) / total if total > 0 else float("nan")
    _, snipw_error = mean_of(w * (r - snipw) * n / total) if total > 0 else (0.0, float("inf"))
    dm, dm_error = mean_of(v)
    dr, dr_error = mean_of(v + w * (r - q))
    intervals = {
        "ipw": interval(ipw, ipw_error),
        "snipw": interval(snipw, snipw_error),
        "dm": interval(dm, dm_error),
        "dr": interval(dr, dr_error),
    }
    squares = float(c @ w**2)
    ess = total**2 / squares if squares > 0 else 0.0
    mean_weight, weight_error = mean_of(w)
    missing = missing_mass if missing_mass is not None else max(0.0, 1 - mean_weight - 3 * weight_error)
    largest = float(w.max())
    half = z * dr_error
    verdict: Verdict = "reliable"
    if ess < max(LEAST_ESS, LEAST_ESS_SHARE * n) or missing > MOST_MASS_MISSING:
        verdict = "no_overlap"
    elif half > MOST_HALF_WIDTH * abs(dr) or (total > 0 and largest / total > MOST_WEIGHT_SHARE):
        verdict = "wide"
    return PolicyValue(ipw, snipw, dm, dr, *intervals["dr"], intervals, n, ess, largest, mean_weight, verdict)
