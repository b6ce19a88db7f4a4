"""Erlang's formulas: Poisson arrivals, exponential service, c clerks, nobody gives up (M/M/c).

Loads are offered loads in erlangs: arrivals per second times mean service seconds. All functions work element by
element on arrays. Source: Erlang (1917); the recursion is that of Jagerman (1974).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analytics.rates import Floats


def erlang_b(load: ArrayLike, clerks: ArrayLike) -> Floats:
    """Return the probability that all of *clerks* are busy where nobody may wait (M/M/c/c)."""
    a, crew = np.broadcast_arrays(np.asarray(load, dtype=np.float64), np.asarray(clerks, dtype=np.intp))
    blocked = np.ones_like(a)
    for c in range(1, int(crew.max(initial=0)) + 1):
        blocked = np.where(c <= crew, a * blocked / (c + a * blocked), blocked)
    return blocked


def erlang_c(load: ArrayLike, clerks: ArrayLike) -> Floats:
    """Return the probability that an arriving customer has to wait; 1 where the load is not below *clerks*."""
    a, clerks = np.asarray(load, dtype=np.float64), np.asarray(clerks, dtype=np.intp)
    blocked = erlang_b(a, clerks)
    spare = clerks - a
    wait = np.where(spare > 0, clerks * blocked / np.where(spare > 0, clerks - a * (1 - blocked), 1.0), 1.0)
    return np.asarray(wait)


def wait_beyond(seconds: float, load: ArrayLike, service_seconds: float, clerks: int) -> Floats:
    """Return the probability of waiting longer than *seconds*."""
    a = np.asarray(load, dtype=np.float64)
    spare = np.maximum(clerks - a, 0.0)
    return np.asarray(erlang_c(a, clerks) * np.exp(-spare * seconds / service_seconds))


def service_level(seconds: float, load: ArrayLike, service_seconds: float, clerks: int) -> Floats:
    """Return the share of customers attended within *seconds*."""
    return np.asarray(1.0 - wait_beyond(seconds, load, service_seconds, clerks))
