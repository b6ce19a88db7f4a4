"""Customers who give up: Erlang-A, that is M/M/c with exponential patience.

Source: Palm (1957); Mandelbaum and Zeltyn (2007). The offered wait V (of a customer who would never give up) has an
atom at zero and the density λ p(c−1) exp{λ (1 − e^(−θx))/θ − c μ x} beyond, from which everything else follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analytics.queues.erlang import erlang_b
from analytics.rates import Floats, as_floats
from journey.errors import InputError

GRID = 1500


@dataclass(frozen=True)
class Impatience:
    """Shares of all customers: *gave_up*, *waited* (had to wait at all), *served_within* the target; mean seconds."""

    gave_up: float
    waited: float
    served_within: float
    mean_wait: float


def erlang_a(
    arrivals_per_second: float, service_seconds: float, clerks: int, patience_seconds: float, *, within: float = 60.0
) -> Impatience:
    """Return what *clerks* achieve where patience is exponential with mean *patience_seconds*.

    Without clerks everybody gives up. There is always a steady state, also above a load of one per clerk.
    Raises InputError where service or patience is not positive.
    """
    if service_seconds <= 0 or patience_seconds <= 0:
        raise InputError("service and patience must be positive", where="erlang_a", what_to_do="give seconds above 0")
    if arrivals_per_second <= 0:
        return Impatience(0.0, 0.0, 1.0, 0.0)
    if clerks <= 0:
        return Impatience(1.0, 1.0, 0.0, patience_seconds)
    virtual = _offered_wait(np.array([arrivals_per_second]), service_seconds, clerks, patience_seconds)
    density, x = virtual.density[0], virtual.seconds[0]
    stays = np.exp(-x / patience_seconds)
    inside = x <= within
    points = np.append(x[inside], within)
    served = np.append((density * stays)[inside], np.interp(within, x, density * stays))
    served_waiting = float(np.trapezoid(served, points)) if within > 0 else 0.0
    gave_up = float(np.trapezoid(density * (1 - stays), x))
    waited = float(np.trapezoid(density, x))
    return Impatience(gave_up, waited, 1 - waited + served_waiting, gave_up * patience_seconds)


def abandonment(arrivals_per_second: ArrayLike, service_seconds: float, clerks: int, patience_seconds: float) -> Floats:
    """Return the share of customers who give up, for an array of arrival rates (Erlang-A)."""
    rates = as_floats(arrivals_per_second)
    if clerks <= 0:
        return np.where(rates > 0, 1.0, 0.0)
    virtual = _offered_wait(np.maximum(rates, 1e-12), service_seconds, clerks, patience_seconds)
    leaves = -special.expm1(-virtual.seconds / patience_seconds)
    return np.asarray(np.trapezoid(virtual.density * leaves, virtual.seconds, axis=1))


@dataclass(frozen=True)
class _OfferedWait:
    """The density of the offered wait beyond zero (rates × grid); what is missing to 1 is the atom at zero."""

    density: Floats
    seconds: Floats


def _offered_wait(rates: Floats, service_seconds: float, clerks: int, patience_seconds: float) -> _OfferedWait:
    rate, leave = rates[:, None], 1 / patience_seconds
    drain = clerks / service_seconds
    # The exponent peaks where arrivals who stay match the drain; past it, 12 standard deviations or 40 e-folds of the
    # slower of two decays leave nothing to integrate.
    mode = np.maximum(0.0, np.log(np.maximum(rate / drain, 1e-300)) / leave)
    spread = 12 * np.sqrt(1 / (leave * drain))
    decay = 40 / np.maximum(drain - rate, 1e-12)
    reach = mode + np.maximum(40 / drain, np.minimum(spread, decay))
    x = np.linspace(0.0, 1.0, GRID)[None, :] * reach
    exponent = -rate * special.expm1(-leave * x) / leave - drain * x
    top = exponent.max(axis=1, keepdims=True)
    density = np.exp(exponent - top)
    # p(c−1)/P(V = 0) is Erlang B of c−1 clerks; on that scale the atom weighs 1.
    scale = rate * erlang_b(rate * service_seconds, clerks - 1)
    total = np.exp(-top) + scale * np.trapezoid(density, x, axis=1)[:, None]
    return _OfferedWait(scale * density / total, x)
