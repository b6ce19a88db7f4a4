"""James–Stein on the arcsine scale, as Efron and Morris (1975) did for eighteen batters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analytics.rates import Floats, as_floats
from journey.errors import NotEnoughData


def james_stein_arcsine(successes: ArrayLike, trials: ArrayLike) -> Floats:
    """Return shrunken rates of k ≥ 4 groups with equal *trials*, towards their own mean (Efron and Morris 1975).

    y = √n · arcsin(2p − 1) has variance close to 1, so that the factor is 1 − (k − 3)/Σ(y − ȳ)²; its positive part is
    taken. Raises NotEnoughData for fewer than four groups, where the estimate does not exist.
    """
    x, n = as_floats(successes), np.broadcast_to(as_floats(trials), as_floats(successes).shape)
    if x.size < 4:
        raise NotEnoughData(f"{x.size} groups", where="james_stein_arcsine", what_to_do="give four or more")
    root = np.sqrt(n)
    y = root * np.arcsin(2 * x / n - 1)
    mean = y.mean()
    spread = float(np.sum((y - mean) ** 2))
    factor = max(0.0, 1 - (x.size - 3) / spread) if spread > 0 else 0.0
    shrunk: Floats = (np.sin((mean + factor * (y - mean)) / root) + 1) / 2
    return shrunk
