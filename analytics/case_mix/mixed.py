"""A logistic case mix with random effects of clerks and stores, by penalised quasi-likelihood and Laplace.

The clerk must be in the model while the case mix is fitted: were he left out, a column that happens to go with good
clerks (their store, their hour) would take over part of their skill. Stores are shrunk rather than fixed, since a
store of one clerk would otherwise explain that clerk away. Source: Breslow and Clayton (1993), with the half-Cauchy
prior of Gelman (2006) on the two spreads, so that few groups cannot drive a spread to zero or to infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from analytics.case_mix.likelihood import Codes, MixRows, Quadratic
from analytics.rates import Floats, counts

SPREAD_PRIOR_SCALE = 1.0
WITHIN_SPREAD = 2.5
INTERCEPT_PRECISION = 1 / 2.5**2
COEFFICIENT_PRECISION = 1 / 2.5**2
OUTER_ROUNDS = 6
NEWTON_STEPS = 25
MOST_SLOPE_ROWS = 100_000


@dataclass(frozen=True)
class MixedFit:
    """The fitted case mix.

    *coefficients* belong to the columns of X, *store_effects* and *clerk_effects* are logits around zero.
    *offset* (one per row) is the logit of a clerk of average skill. *clerk_variance* is the posterior variance of
    each clerk's effect with everything else uncertain too; *offset_variance* and *offset_shift* say how uncertain,
    and how far off, the offset is for each clerk if that clerk's own rows are taken out (the cavity).
    """

    coefficients: Floats
    coefficient_errors: Floats
    store_effects: Floats
    clerk_effects: Floats
    clerk_variance: Floats
    clerk_spread: float
    store_spread: float
    offset: Floats
    offset_variance: Floats
    offset_shift: Floats


def _prior_precision(rows: MixRows, store_spread: float) -> Floats:
    columns = np.full(rows.columns, COEFFICIENT_PRECISION)
    columns[0] = INTERCEPT_PRECISION
    return np.concatenate([columns, np.full(rows.stores, store_spread**-2)])


@dataclass(frozen=True)
class _Solution:
    """Mode (a, u) of a quadratic with its prior, and what its spread is read off: by the Schur complement."""

    a: Floats
    u: Floats
    log_determinant: float
    reduced: Floats
    own_variance: Floats
    factor: Floats

    def covariance(self) -> Floats:
        """Return Cov(a)."""
        return np.asarray(linalg.cho_solve((self.factor, True), np.eye(self.factor.shape[0])))

    def variance(self) -> Floats:
        """Return Var(u), one per clerk."""
        return np.asarray(self.own_variance + np.sum(self.reduced * (self.covariance() @ self.reduced), axis=0))


def _solve(q: Quadratic, prior: Floats, spread: float) -> _Solution:
    """Return the mode of the quadratic with precision *prior* on the columns and 1/*spread*² on the clerks."""
    du = q.uu + spread**-2
    reduced = q.au / du
    schur = q.aa + np.diag(prior) - reduced @ q.au.T
    factor = np.asarray(linalg.cholesky(schur, lower=True, check_finite=False))
    a = np.asarray(linalg.cho_solve((factor, True), q.ba - reduced @ q.bu, check_finite=False))
    u = (q.bu - q.au.T @ a) / du
    log_determinant = 2 * float(np.sum(np.log(np.diag(factor)))) + float(np.sum(np.log(du)))
    return _Solution(a, u, log_determinant, reduced, 1 / du, factor)


def posterior_mode(
    rows: MixRows, a: Floats, u: Floats, store_spread: float, spread: float
) -> tuple[Floats, Floats, Quadratic]:
    """Return the posterior mode for given spreads, by damped Newton steps."""
    prior = _prior_precision(rows, store_spread)

    def objective(a: Floats, u: Floats) -> float:
        penalty = float(prior @ a**2) + float(np.sum(u**2)) / spread**2
        return rows.log_likelihood(a, u) - 0.5 * penalty

    value = objective(a, u)
    for _ in range(NEWTON_STEPS):
        q = rows.quadratic(a, u)
        step = _solve(q, prior, spread)
        next_a, next_u = step.a, step.u
        scale = 1.0
        while (
            candidate := objective(a + scale * (next_a - a), u + scale * (next_u - u))
        ) < value - 1e-9 and scale > 1e-4:
            scale /= 2
        a, u = a + scale * (next_a - a), u + scale * (next_u - u)
        gain, value = candidate - value, candidate
        if gain < 1e-7 * (abs(value) + 1):
            break
    return a, u, rows.quadratic(a, u)


def _half_cauchy(log_spread: float) -> float:
    """Return the log density of a spread on the log scale (the Jacobian keeps it off zero)."""
    return log_spread - float(np.log1p((np.exp(log_spread) / SPREAD_PRIOR_SCALE) ** 2))


def schur_covariance(rows: MixRows, q: Quadratic, spread: float) -> Floats:
    """Return the covariance of the columns (and stores) with the clerks' effects integrated out."""
    return _solve(q, _prior_precision(rows, 1.0), spread).covariance()


def _spread_loss(rows: MixRows, q: Quadratic, store_spread: float, spread: float) -> float:
    """Return minus the log of marginal likelihood (of the quadratic) times prior of two spreads."""
    best = _solve(q, _prior_precision(rows, store_spread), spread)
    fitted = 0.5 * float(q.ba @ best.a + q.bu @ best.u)
    log_clerk, log_store = float(np.log(spread)), float(np.log(store_spread))
    normaliser = -rows.clerks * log_clerk - rows.stores * log_store
    hyper = _half_cauchy(log_clerk) + (_half_cauchy(log_store) if rows.stores else 0.0)
    return -(fitted + normaliser - 0.5 * best.log_determinant + hyper)


def _best_spreads(rows: MixRows, q: Quadratic, start: tuple[float, float]) -> tuple[float, float]:
    """Return the most plausible spreads of stores and clerks, within e⁻⁵ and e² logits."""

    def spreads_at(logs: Floats) -> tuple[float, float]:
        spreads = np.exp(np.clip(logs, -5.0, 2.0))
        return (float(spreads[0]) if rows.stores else 1.0), float(spreads[-1])

    def loss(logs: Floats) -> float:
        return _spread_loss(rows, q, *spreads_at(logs))

    first: Floats = np.log(np.array(start if rows.stores else start[1:], dtype=np.float64))
    best = optimize.minimize(
        loss,
        first,
        method="Nelder-Mead",
        options={"xatol": 0.01, "fatol": 0.005, "maxfev": 120},
    )
    return spreads_at(best.x)


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

    *intercept* plus a store's effect plus a row's own logit is what a clerk of average skill reaches. *variance*,
    *offset_variance* and *offset_shift* (per clerk) are as in `MixedFit`, the coefficients' own doubt left out.
    """

    intercept: float
    store_effects: Floats
    clerk_effects: Floats
    variance: Floats
    clerk_spread: float
    store_spread: float
    offset_variance: Floats
    offset_shift: Floats


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
        previous, spreads = spreads, _best_spreads(rows, q, spreads)
        if abs(np.log(previous[1] / spreads[1])) + abs(np.log(previous[0] / spreads[0])) < 0.02:
            break
    a, u, q = posterior_mode(rows, a, u, *spreads)
    shift, extra = _offset_without_own_rows(rows, q, spreads)
    return Levels(
        intercept=float(a[0]),
        store_effects=a[1:],
        clerk_effects=u,
        variance=_solve(q, _prior_precision(rows, spreads[0]), spreads[1]).variance(),
        clerk_spread=spreads[1],
        store_spread=spreads[0] if stores else 0.0,
        offset_variance=extra,
        offset_shift=shift,
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
        offset_variance=levels.offset_variance + doubt,
        offset_shift=levels.offset_shift,
    )


def _offset_without_own_rows(rows: MixRows, q: Quadratic, best: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return shift and variance of each clerk's offset, averaged over spreads that the data leave plausible."""
    steps = np.linspace(-1.2, 1.2, 7)
    store_spreads = best[0] * np.exp(steps) if rows.stores else np.array([1.0])
    results = [
        (-_spread_loss(rows, q, store, clerk), *_cavity(rows, q, store, clerk))
        for store in store_spreads
        for clerk in best[1] * np.exp(steps)
    ]
    weight = np.exp(np.array([r[0] for r in results]) - max(r[0] for r in results))
    weight /= weight.sum()
    shifts, variances = np.stack([r[1] for r in results]), np.stack([r[2] for r in results])
    shift = weight @ shifts
    return shift, weight @ variances + weight @ (shifts - shift) ** 2


def _cavity(rows: MixRows, q: Quadratic, store_spread: float, spread: float) -> tuple[Floats, Floats]:
    """Return shift and variance of each clerk's offset as the other clerks alone would put it.

    The joint posterior of clerk i is N(u, V). Its part from data has precision J = 1/V − 1/σ²; were the offset known,
    it would be the information I. So the offset adds 1/J − 1/I, and the centres u/(V J) and u (1 + 1/(σ² I)) differ by
    the shift.
    """
    found = _solve(q, _prior_precision(rows, store_spread), spread)
    u, variance = found.u, found.variance()
    seen = q.uu > 1e-9
    safe = np.where(seen, q.uu, 1.0)
    from_data = np.maximum(1 / variance - spread**-2, 1e-9)
    extra = np.where(seen, np.maximum(1 / from_data - 1 / safe, 0.0), 0.0)
    shift = u * (1 + 1 / (spread**2 * safe)) - u / (variance * from_data)
    return np.where(seen, shift, 0.0), extra
