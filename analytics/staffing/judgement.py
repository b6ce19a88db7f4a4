"""Short, enough or over, with probability, and what a shortage loses.

The count of one quarter hour says little of the rate behind it; so the rate is a gamma posterior of that count and of
what such quarter hours usually bring, and the mean service time is uncertain as well. A slot is short where it is
likelier than not that the rostered clerks miss the target at that rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analytics.queues import DEFAULT_TARGET, ServiceTarget, abandonment, servable_rates
from analytics.queues.required import MOST_CLERKS
from analytics.rates import Floats
from analytics.staffing.service_times import ServiceLaw

SHORT_PROBABILITY = 0.5
OVER_PROBABILITY = 0.8
# Three points and weights that integrate a normal to the fifth degree (Gauss–Hermite).
NODES = (-1.7320508075688772, 0.0, 1.7320508075688772)
WEIGHTS = (1 / 6, 2 / 3, 1 / 6)
RATE_POINTS = 30
NEGLIGIBLE = 0.05  # customers to serve per slot, below which nobody is kept on the floor for them
OPEN = 0.25  # people coming in per slot, from which on the shop is open and somebody is there, whoever wants service


@dataclass(frozen=True)
class Floor:
    """The judgement of slots, element by element.

    *needed* clerks at the expected rate; *p_short* and *p_over* the probabilities that the roster misses the target,
    and that one clerk fewer would still meet it (NaN without a roster). *lost_low* and *lost_high* are services lost
    beyond those lost with the needed clerks.
    """

    needed: NDArray[np.intp]
    p_short: Floats
    p_over: Floats
    judgement: tuple[str, ...]
    lost_low: Floats
    lost_high: Floats


def rate_posterior(count: Floats, usual: Floats, strength: Floats) -> tuple[Floats, Floats]:
    """Return shape and rate of the gamma posterior of a slot's expected count.

    The prior has mean *usual* and shape *strength* (k of a negative binomial), so that a count of 9 where 5 are usual
    and days vary little says 6 rather than 9.
    """
    k = np.maximum(strength, 0.05)
    return k + count, k / np.maximum(usual, 1e-6) + 1.0


def nobody_needed(arrivals: Floats, law: ServiceLaw) -> NDArray[np.bool_]:
    """Return where so few *arrivals* per slot are expected that the floor may be empty."""
    return np.asarray((arrivals * law.share < NEGLIGIBLE) & (arrivals < OPEN))


def judge(
    shape: Floats,
    rate: Floats,
    rostered: Floats,
    law: ServiceLaw,
    *,
    minutes: float = 15.0,
    target: ServiceTarget = DEFAULT_TARGET,
) -> Floor:
    """Judge slots of one store; the expected count of each is gamma(*shape*, *rate*), *rostered* NaN if unknown."""
    seconds = minutes * 60
    per_second = law.share / seconds
    mean = shape / rate
    top = float(np.max(np.asarray(stats.gamma.ppf(0.999, shape, scale=1 / rate)), initial=0.0)) * per_second
    most = min(int(np.ceil(top * law.seconds * 2.5 + 6)), MOST_CLERKS)
    table = servable_rates(most, law.seconds, target, service_cv2=law.cv2)
    empty = nobody_needed(mean, law)
    needed = np.where(empty, 0, np.searchsorted(table, mean * per_second - 1e-15))
    has_roster = np.isfinite(rostered)
    clerks = np.floor(np.where(has_roster, rostered, 0.0) + 1e-6).astype(np.intp).clip(0, most)
    p_short = np.zeros(mean.size)
    p_over = np.zeros(mean.size)
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        slower = law.seconds * float(np.exp(node * law.relative_error))
        servable = servable_rates(most, slower, target, service_cv2=law.cv2) / per_second
        p_short += weight * stats.gamma.sf(servable[clerks], shape, scale=1 / rate)
        fewer = np.where(clerks > 0, servable[np.maximum(clerks - 1, 0)], 0.0)
        p_over += weight * stats.gamma.cdf(fewer, shape, scale=1 / rate) * (clerks > 0)
    # Where nobody is expected, nobody is missed, and whoever is there is one too many.
    p_short, p_over = np.where(empty, 0.0, p_short), np.where(empty, clerks > 0, p_over)
    words = np.where(p_short > SHORT_PROBABILITY, "short", np.where(p_over > OVER_PROBABILITY, "over", "enough"))
    low, high = _lost(shape, rate, clerks, np.asarray(needed), law, seconds)
    unknown = ~has_roster
    p_short[unknown] = p_over[unknown] = np.nan
    low[unknown] = high[unknown] = np.nan
    judgement = tuple(np.where(unknown, "unknown", words).tolist())
    return Floor(np.asarray(needed, dtype=np.intp), p_short, p_over, judgement, low, high)


def _lost(
    shape: Floats, rate: Floats, clerks: NDArray[np.intp], needed: NDArray[np.intp], law: ServiceLaw, seconds: float
) -> tuple[Floats, Floats]:
    """Return low and high of the services lost per slot beyond those lost with the needed clerks (Erlang-A).

    The range spans 95 % of the arrival rate, and patience half as long to twice as long where it was not measured.
    """
    slack = 1.2 if law.patience_known else 2.0
    ends = []
    for probability, patience in ((0.025, law.patience * slack), (0.975, law.patience / slack)):
        expected = np.asarray(stats.gamma.ppf(probability, shape, scale=1 / rate)) * law.share
        grid = np.linspace(0.0, max(float(expected.max(initial=0.0)), 1e-6) / seconds, RATE_POINTS)
        lost = np.zeros((2, expected.size))
        for which, crew in enumerate((clerks, needed)):
            for count in np.unique(crew):
                here = crew == count
                share = np.interp(expected[here] / seconds, grid, abandonment(grid, law.seconds, int(count), patience))
                lost[which, here] = share * expected[here]
        ends.append(np.maximum(lost[0] - lost[1], 0.0))
    return np.minimum(ends[0], ends[1]), np.maximum(ends[0], ends[1])
