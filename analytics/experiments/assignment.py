"""Who is in which arm, and whether the arms are as large as they were meant to be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from journey.errors import InputError

ALARM = 0.001  # below that, the split is broken and no effect may be read off it (Fabijan et al. 2019)


def arm_of(unit: str, experiment: str, shares: Mapping[str, float]) -> str:
    """Return the arm of a *unit* (a customer or a store), the same for ever and independent between experiments.

    *shares* are the arms' shares in a fixed order; they must sum to one. Raises InputError where they do not.
    """
    total = sum(shares.values())
    if not shares or abs(total - 1) > 1e-9 or min(shares.values()) < 0:
        raise InputError(f"shares sum to {total:g}", where=f"experiment {experiment}", what_to_do="make them sum to 1")
    digest = hashlib.sha256(f"{experiment}\x00{unit}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    edge = 0.0
    for arm, share in shares.items():
        edge += share
        if point < edge:
            return arm
    return list(shares)[-1]


@dataclass(frozen=True)
class SampleRatio:
    """The χ² test of the arms' sizes against their shares; *ok* is false where the split itself is broken."""

    p_value: float
    ok: bool
    expected: dict[str, float]


def sample_ratio(sizes: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio:
    """Return the sample ratio check of arm *sizes* against the intended *shares* (normalised over the arms seen)."""
    arms = [arm for arm in shares if shares[arm] > 0]
    total = sum(sizes.get(arm, 0) for arm in arms)
    scale = sum(shares[arm] for arm in arms)
    expected = {arm: total * shares[arm] / scale for arm in arms}
    if total == 0 or len(arms) < 2:
        return SampleRatio(1.0, True, expected)
    observed = np.array([sizes.get(arm, 0) for arm in arms], dtype=np.float64)
    chi2 = float(np.sum((observed - np.array(list(expected.values()))) ** 2 / np.array(list(expected.values()))))
    p = float(stats.chi2.sf(chi2, len(arms) - 1))
    return SampleRatio(p, p >= ALARM, expected)
