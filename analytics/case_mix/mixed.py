"""A logistic case mix with random effects of clerks and stores, by penalised quasi-likelihood and Laplace.

The clerk must be in the model while the case mix is fitted: were he left out, a column that happens to go with good
clerks (their store, their hour) would take over part of their skill. Stores are shrunk rather than fixed, since a
store of one clerk would otherwise explain that clerk away. Source: Breslow and Clayton (1993), with the prior of
`spreads` on the two spreads, so that few groups cannot drive a spread to zero or to infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.case_mix.likelihood import Codes, MixRows
from analytics.case_mix.posterior import posterior_mode, prior_precision, schur_covariance, solve
from analytics.case_mix.spreads import PlausibleSpreads, best_spreads, plausible_spreads
from analytics.rates import Floats, counts

WITHIN_SPREAD = 2.5
OUTER_ROUNDS = 6
MOST_SLOPE_ROWS = 100_000


@dataclass(frozen=True)
class MixedFit:
    """The fitted case mix.

    *coefficients* belong to the columns of X, *store_effects* and *clerk_effects* are logits around zero.
    *offset* (one per row) is the logit of a clerk of average skill. *clerk_variance* is the posterior variance of
    each clerk's effect with everything else uncertain too.
    """

    coefficients: Floats
    coefficient_errors: Floats
    store_effects: Floats
    clerk_effects: Floats
    clerk_variance: Floats
    clerk_spread: float
    store_spread: float
    offset: Floats


def within_clerks(X: Floats, y: Floats, n: Floats, clerk: Codes, clerks: int) -> tuple[Floats, Floats]:
    """Return coefficients of X (intercept 0) and their covariance from comparisons within each clerk only.

    With a prior on clerks so wide that it does not shrink, a manager who gives good clerks the good customers
    cannot move a clerk's skill into the coefficients.
    """
    if y.size > MOST_SLOPE_ROWS:
        # Slopes are common to all: a sample of this size knows them far better than anybody's skill is known.
        sample = np.random.default_rng(0).choice(y.size, MOST_SLOPE_ROWS, replace=False)
        X, y, n, clerk = X[sample], y[sample], n[sample], clerk[sample]
    rows = MixRows(X, y, n, clerk, np.zeros_like(clerk), clerks, 0)
    _, _, q = (fit := posterior_mode(rows, np.zeros(X.shape[1]), np.zeros(clerks), 1.0, WITHIN_SPREAD))
    covariance = schur_covariance(rows, q, WITHIN_SPREAD)
    covariance[0, :] = covariance[:, 0] = 0.0
    coefficients = fit[0].copy()
    coefficients[0] = 0.0
    return coefficients, covariance


def slope_variance(X: Floats, trials: Floats, clerk: Codes, clerks: int, covariance: Floats) -> Floats:
    """Return the variance of each clerk's mean logit that comes from not knowing the coefficients of X exactly."""
    weight = np.maximum(counts(clerk, clerks, trials), 1e-12)
    centred = X - np.average(X, axis=0, weights=trials + 1e-12)
    mix = np.stack([counts(clerk, clerks, trials * column) for column in centred.T], axis=1) / weight[:, None]
    return np.asarray(np.einsum("ij,jk,ik->i", mix, covariance, mix))


@dataclass(frozen=True)
class Levels:
    """How high clerks stand, once customers and products are accounted for.

    *intercept* plus a store's effect plus a row's own logit is what a clerk of average skill reaches. *variance* (per
    clerk) is as in `MixedFit`, the coefficients' own doubt left out; *plausible* says what spreads other than the best
    make of it.
    """

    intercept: float
    store_effects: Floats
    clerk_effects: Floats
    variance: Floats
    clerk_spread: float
    store_spread: float
    plausible: PlausibleSpreads


def fit_levels(
    fixed: Floats, successes: Floats, trials: Floats, clerk: Codes, store: Codes | None = None, *, clerks: int
) -> Levels:
    """Fit intercept, stores and clerks on rows whose logit is known up to them (*fixed*).

    *clerk* and *store* are codes 0…k−1 of each row; without *store*, or with a single one, there is no store effect.
    """
    stores = int(store.max()) + 1 if store is not None else 0
    if stores < 2 or store is None:
        stores, store = 0, np.zeros_like(clerk)
    rows = MixRows(np.ones((clerk.size, 1)), successes, trials, clerk, store, clerks, stores, fixed)
    a, u = np.zeros(1 + stores), np.zeros(clerks)
    spreads = (0.2, 0.3)
    for _ in range(OUTER_ROUNDS):
        a, u, q = posterior_mode(rows, a, u, *spreads)
        previous, spreads = spreads, best_spreads(rows, q, spreads)
        if abs(np.log(previous[1] / spreads[1])) + abs(np.log(previous[0] / spreads[0])) < 0.02:
            break
    a, u, q = posterior_mode(rows, a, u, *spreads)
    return Levels(
        intercept=float(a[0]),
        store_effects=a[1:],
        clerk_effects=u,
        variance=solve(q, prior_precision(rows, spreads[0]), spreads[1]).variance(),
        clerk_spread=spreads[1],
        store_spread=spreads[0] if stores else 0.0,
        plausible=plausible_spreads(rows, q, spreads),
    )


def fit_mixed_logistic(
    X: Floats, successes: Floats, trials: Floats, clerk: Codes, store: Codes | None = None
) -> MixedFit:
    """Fit the case mix on rows of *successes* out of *trials*; X (rows × columns) starts with the intercept.

    *clerk* and *store* are codes 0…k−1 of each row; without *store*, or with a single one, there is no store effect.
    """
    clerks = int(clerk.max()) + 1
    slopes, covariance = within_clerks(X, successes, trials, clerk, clerks)
    fixed = X @ slopes
    levels = fit_levels(fixed, successes, trials, clerk, store, clerks=clerks)
    doubt = slope_variance(X, trials, clerk, clerks, covariance)
    offset = fixed + levels.intercept
    if store is not None and levels.store_effects.size:
        offset = offset + levels.store_effects[store]
    return MixedFit(
        coefficients=slopes + np.eye(1, X.shape[1])[0] * levels.intercept,
        coefficient_errors=np.sqrt(np.diag(covariance)),
        store_effects=levels.store_effects,
        clerk_effects=levels.clerk_effects,
        clerk_variance=levels.variance + doubt,
        clerk_spread=levels.clerk_spread,
        store_spread=levels.store_spread,
        offset=offset,
    )
