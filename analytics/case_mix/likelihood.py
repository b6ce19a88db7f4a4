"""The likelihood of a logistic case mix with clerks and stores, and its second-order expansion from sums over rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analytics.rates import Floats, counts

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Quadratic:
    """The likelihood around its mode: Hessian blocks (a: columns and stores, u: clerks) and linear terms."""

    aa: Floats
    au: Floats
    uu: Floats
    ba: Floats
    bu: Floats


class MixRows:
    """The rows of the model and the sums over them that every step needs."""

    def __init__(
        self,
        X: Floats,
        y: Floats,
        n: Floats,
        clerk: Codes,
        store: Codes,
        clerks: int,
        stores: int,
        fixed: Floats | None = None,
    ) -> None:
        self.fixed = np.zeros(y.size) if fixed is None else fixed
        self.X, self.y, self.n, self.clerk, self.store = X, y, n, clerk, store
        self.clerks, self.stores, self.columns = clerks, stores, X.shape[1]

    def eta(self, a: Floats, u: Floats) -> Floats:
        """Return the logit of every row."""
        offset = self.offset(a)
        return np.clip(offset + u[self.clerk], -30.0, 30.0)

    def offset(self, a: Floats) -> Floats:
        """Return the logit of every row without the clerk."""
        eta: Floats = self.fixed + self.X @ a[: self.columns]
        if self.stores:
            eta = eta + a[self.columns :][self.store]
        return eta

    def log_likelihood(self, a: Floats, u: Floats) -> float:
        """Return Σ y η − n log(1 + e^η)."""
        eta = self.eta(a, u)
        return float(np.sum(self.y * eta - self.n * np.logaddexp(0.0, eta)))

    def quadratic(self, a: Floats, u: Floats) -> Quadratic:
        """Return the second-order expansion at (a, u)."""
        mu = special.expit(self.eta(a, u))
        w = self.n * mu * (1 - mu)
        residual = self.y - self.n * mu
        p, S, C = self.columns, self.stores, self.clerks
        aa = np.zeros((p + S, p + S))
        au = np.zeros((p + S, C))
        weighted = self.X * w[:, None]
        aa[:p, :p] = self.X.T @ weighted
        for j in range(p):
            au[j] = counts(self.clerk, C, weighted[:, j])
        gradient = np.concatenate([self.X.T @ residual, np.zeros(S)])
        if S:
            for j in range(p):
                aa[j, p:] = counts(self.store, S, weighted[:, j])
            aa[p:, :p] = aa[:p, p:].T
            aa[p:, p:] = np.diag(counts(self.store, S, w))
            au[p:] = counts(self.store * C + self.clerk, S * C, w).reshape(S, C)
            gradient[p:] = counts(self.store, S, residual)
        uu = counts(self.clerk, C, w)
        gu = counts(self.clerk, C, residual)
        return Quadratic(aa, au, uu, gradient + aa @ a + au @ u, gu + au.T @ a + uu * u)
