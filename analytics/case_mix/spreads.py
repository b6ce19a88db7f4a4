"""How much clerks, and stores, differ: the most plausible spreads, and all that the data leave plausible.

A single best spread would make everything that rests on it look surer than it is, most of all where few clerks, or
clerks who hardly differ, leave it open. So whatever depends on the spread of clerks is kept per node of a grid of
spreads, weighted with its posterior (Rue, Martino and Chopin 2009).

The prior is a half-Cauchy (Gelman 2006) so wide that it is nearly flat, tilted a little towards small spreads: a flat
one makes intervals too wide where clerks hardly differ, one narrow enough to mend that makes them too narrow elsewhere.
docs/methods.md has the coverage of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from analytics.case_mix.likelihood import MixRows, Quadratic
from analytics.case_mix.posterior import Solution, prior_precision, solve
from analytics.rates import Floats

SPREAD_PRIOR_SCALE = 3.0
SPREAD_PRIOR_TILT = 0.12
CLERK_NODES = np.geomspace(0.005, 3.0, 30)
STORE_NODES = np.geomspace(0.005, 3.0, 14)
FINE_NODES = 17
SURE = 0.35  # standard deviation of a log spread, above which its posterior may reach down to nothing
NEGLIGIBLE = 1e-4  # of the weight of the likeliest spread


@dataclass(frozen=True)
class PlausibleSpreads:
    """Spreads of clerks (logits) with *weights* that sum to one, and what each makes of the clerks' offsets.

    *variance* and *shift* (spreads × clerks) say how uncertain, and how far off, the offset is for each clerk if that
    clerk's own rows are taken out (the cavity).
    """

    spreads: Floats
    weights: Floats
    variance: Floats
    shift: Floats

    def with_doubt(self, variance: Floats) -> PlausibleSpreads:
        """Return the same with another *variance* per clerk in every offset."""
        return replace(self, variance=self.variance + variance)


def log_spread_prior(log_spread: Floats | float) -> Floats:
    """Return the log density of a spread on the log scale (the Jacobian keeps it off zero), up to a constant."""
    tilted = (1 - SPREAD_PRIOR_TILT) * np.asarray(log_spread)
    return np.asarray(tilted - np.log1p((np.exp(log_spread) / SPREAD_PRIOR_SCALE) ** 2))


def _log_posterior(rows: MixRows, q: Quadratic, found: Solution, store_spread: float, spread: float) -> float:
    """Return the log of marginal likelihood (of the quadratic) times prior of two spreads, up to a constant."""
    fitted = 0.5 * float(q.ba @ found.a + q.bu @ found.u)
    log_clerk, log_store = float(np.log(spread)), float(np.log(store_spread))
    normaliser = -rows.clerks * log_clerk - rows.stores * log_store
    hyper = log_spread_prior(log_clerk) + (log_spread_prior(log_store) if rows.stores else 0.0)
    return float(fitted + normaliser - 0.5 * found.log_determinant + hyper)


def best_spreads(rows: MixRows, q: Quadratic, start: tuple[float, float]) -> tuple[float, float]:
    """Return the most plausible spreads of stores and clerks, within e⁻⁵ and e² logits."""

    def spreads_at(logs: Floats) -> tuple[float, float]:
        spreads = np.exp(np.clip(logs, -5.0, 2.0))
        return (float(spreads[0]) if rows.stores else 1.0), float(spreads[-1])

    def loss(logs: Floats) -> float:
        store, clerk = spreads_at(logs)
        return -_log_posterior(rows, q, solve(q, prior_precision(rows, store), clerk), store, clerk)

    first: Floats = np.log(np.array(start if rows.stores else start[1:], dtype=np.float64))
    best = optimize.minimize(
        loss,
        first,
        method="Nelder-Mead",
        options={"xatol": 0.01, "fatol": 0.005, "maxfev": 120},
    )
    return spreads_at(best.x)


def plausible_spreads(rows: MixRows, q: Quadratic, best: tuple[float, float]) -> PlausibleSpreads:
    """Return the spreads of clerks that the quadratic *q* leaves plausible, those of stores integrated out.

    *best* are the most plausible ones, of stores and clerks.
    """

    def log_posterior(store: float, clerk: float) -> float:
        return _log_posterior(rows, q, solve(q, prior_precision(rows, store), clerk), store, clerk)

    clerks = _nodes(best[1], lambda spread: log_posterior(best[0], spread), CLERK_NODES)
    stores = np.array([1.0])
    if rows.stores:
        stores = _nodes(best[0], lambda spread: log_posterior(spread, best[1]), STORE_NODES)
    weight = np.array([[log_posterior(store, clerk) for store in stores] for clerk in clerks])
    weight = np.exp(weight - weight.max())
    of_clerks = weight.sum(axis=1)
    likely = of_clerks > NEGLIGIBLE * of_clerks.max()
    shift, variance = np.zeros((2, int(likely.sum()), rows.clerks))
    for i, clerk in enumerate(np.flatnonzero(likely)):
        within = weight[clerk] / of_clerks[clerk]
        some = np.flatnonzero(within > NEGLIGIBLE * within.max())
        found = [solve(q, prior_precision(rows, stores[store]), clerks[clerk]) for store in some]
        shifts, variances = np.stack([_cavity(q, one, clerks[clerk]) for one in found], axis=1)
        share = within[some] / within[some].sum()
        shift[i] = share @ shifts
        variance[i] = share @ (variances + (shifts - shift[i]) ** 2)
    return PlausibleSpreads(clerks[likely], of_clerks[likely] / of_clerks[likely].sum(), variance, shift)


def _nodes(best: float, log_posterior: Callable[[float], float], widest: Floats) -> Floats:
    """Return spreads evenly spaced on the log scale: as close together as the data are sure, else the *widest*."""
    step = 0.15
    middle = log_posterior(best)
    curvature = (2 * middle - log_posterior(best * np.exp(step)) - log_posterior(best * np.exp(-step))) / step**2
    if curvature < SURE**-2:
        return widest
    return np.asarray(best * np.exp(np.linspace(-5.0, 5.0, FINE_NODES) * curvature**-0.5))


def _cavity(q: Quadratic, found: Solution, spread: float) -> tuple[Floats, Floats]:
    """Return shift and variance of each clerk's offset as the other clerks alone would put it.

    The joint posterior of clerk i is N(u, V). Its part from data has precision J = 1/V − 1/σ²; were the offset known,
    it would be the information I. So the offset adds 1/J − 1/I, and the centres u/(V J) and u (1 + 1/(σ² I)) differ by
    the shift.
    """
    u, variance = found.u, found.variance()
    seen = q.uu > 1e-9
    safe = np.where(seen, q.uu, 1.0)
    from_data = np.maximum(1 / variance - spread**-2, 1e-9)
    extra = np.where(seen, np.maximum(1 / from_data - 1 / safe, 0.0), 0.0)
    shift = u * (1 + 1 / (spread**2 * safe)) - u / (variance * from_data)
    return np.where(seen, shift, 0.0), extra
