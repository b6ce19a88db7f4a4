"""How good the forecast was: weighted absolute error, pinball loss and the share inside the interval."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import special

from analytics.forecast.model import fit_arrivals
from analytics.rates import Floats
from journey.errors import NotEnoughData


@dataclass(frozen=True)
class Accuracy:
    """On *n* slots never seen by the model: WAPE, pinball losses per quantile, coverage of the 95 % interval.

    *naive_wape* is that of the same slot one or two weeks before: what a forecast has to beat.
    """

    n: int
    wape: float
    naive_wape: float
    pinball: dict[float, float]
    coverage: float


def wape(actual: Floats, forecast: Floats) -> float:
    """Return Σ|actual − forecast| / Σ actual; 0 where nothing came and nothing was expected."""
    total = float(np.abs(actual).sum())
    error = float(np.abs(actual - forecast).sum())
    return error / total if total > 0 else float(error > 0)


def chance_wape(expected: Floats) -> float:
    """Return the WAPE that a perfect forecast of these *expected* counts would have, if they are Poisson.

    E|X − m| = 2 m^(⌊m⌋+1) e^−m / ⌊m⌋! (Crow 1958): with 2 expected in a quarter hour, more than half is chance.
    """
    m = np.maximum(np.asarray(expected, dtype=np.float64), 0.0)
    if m.sum() <= 0:
        return 0.0
    floor = np.floor(m)
    spread = 2 * np.exp((floor + 1) * np.log(np.maximum(m, 1e-300)) - m - special.gammaln(floor + 1))
    return float(spread.sum() / m.sum())


def pinball(actual: Floats, quantile: Floats, probability: float) -> float:
    """Return the mean pinball loss of a forecast quantile (Koenker and Bassett 1978)."""
    gap = actual - quantile
    return float(np.mean(np.maximum(probability * gap, (probability - 1) * gap)))


def backtest(days: Sequence[date], arrivals: Floats, *, hold_out: int = 14, country: str = "JP") -> Accuracy | None:
    """Return the accuracy on the last *hold_out* days of a model fitted to the days before; None with too few days.

    *arrivals* is days × slots with NaN where nothing was counted. At least as many days as are held out, and 14, must
    stay for fitting.
    """
    cut = len(days) - hold_out
    if cut < max(hold_out, 14) or not np.nansum(arrivals[:cut]) > 0:
        return None
    try:
        model = fit_arrivals(days[:cut], arrivals[:cut], country=country)
    except NotEnoughData:
        return None
    expected = model.expect(days[cut:])
    actual = arrivals[cut:]
    back = 7 * -(-hold_out // 7)
    naive = np.vstack([arrivals[max(i - back, 0)] for i in range(cut, len(days))])
    known = np.isfinite(actual) & np.isfinite(naive)
    if not known.any():
        return None
    a, m = actual[known], expected[known]
    low, high = model.quantile(m, 0.025), model.quantile(m, 0.975)
    losses = {p: pinball(a, model.quantile(m, p), p) for p in (0.1, 0.5, 0.9)}
    return Accuracy(int(a.size), wape(a, m), wape(a, naive[known]), losses, float(np.mean((low <= a) & (a <= high))))


def past_weeks(
    days: Sequence[date],
    arrivals: Floats,
    *,
    weeks: int = 8,
    country: str = "JP",
    known: Collection[date] = (),
) -> dict[date, Accuracy]:
    """Return, per Monday, the accuracy of the last whole *weeks*, each forecast from nothing but the days before it.

    Weeks that too few days precede, and those *known* already, are left out.
    """
    if not days:
        return {}
    ahead = (6 - days[-1].weekday()) % 7  # days missing to the Sunday that ends the running week
    end = len(days) if ahead == 0 else len(days) - (7 - ahead)
    found = {}
    for first in range(end - 7, max(end - 7 * weeks, 1) - 1, -7):
        if days[first] in known:
            continue
        checked = backtest(days[: first + 7], arrivals[: first + 7], hold_out=7, country=country)
        if checked is not None:
            found[days[first]] = checked
    return dict(sorted(found.items()))
