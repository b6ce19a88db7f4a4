"""How many clerks a service target takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics.queues.erlang import erlang_c
from analytics.queues.general import general_service_level
from analytics.rates import Floats
from journey.errors import InputError

MOST_CLERKS = 2000
BISECTIONS = 45  # to 3e-14 of the number of clerks


@dataclass(frozen=True)
class ServiceTarget:
    """*share* of customers attended *within* so many seconds; *max_occupancy* caps how busy clerks may be."""

    share: float = 0.8
    within: float = 60.0
    max_occupancy: float = 1.0


@dataclass(frozen=True)
class Requirement:
    """*clerks* on the floor, *scheduled* with shrinkage (breaks, training, absence), and what they achieve."""

    clerks: int
    scheduled: int
    service_level: float
    wait_probability: float
    occupancy: float


DEFAULT_TARGET = ServiceTarget()


def required_clerks(
    arrivals: float,
    minutes: float,
    service_seconds: float,
    target: ServiceTarget = DEFAULT_TARGET,
    *,
    service_cv2: float = 1.0,
    arrival_cv2: float = 1.0,
    shrinkage: float = 0.0,
) -> Requirement:
    """Return the fewest clerks who meet *target* for *arrivals* customers in *minutes*.

    With both variabilities at 1 this is Erlang-C, else Allen and Cunneen's approximation. Nobody arriving needs
    nobody. Raises InputError where a target or a time cannot be met by any number of clerks.
    """
    if minutes <= 0 or service_seconds <= 0 or arrivals < 0:
        raise InputError("times must be positive and arrivals not negative", where="required_clerks")
    if not (0 < target.share < 1) or not (0 <= shrinkage < 1) or not (0 < target.max_occupancy <= 1):
        raise InputError("shares must lie between 0 and 1", where="required_clerks")
    load = arrivals * service_seconds / (minutes * 60)
    if load == 0:
        return Requirement(0, 0, 1.0, 0.0, 0.0)
    for clerks in range(max(1, math.ceil(load / target.max_occupancy - 1e-12)), MOST_CLERKS):
        level = float(
            general_service_level(
                target.within, load, service_seconds, clerks, service_cv2=service_cv2, arrival_cv2=arrival_cv2
            )
        )
        if load < clerks and level >= target.share:
            return Requirement(
                clerks, math.ceil(clerks / (1 - shrinkage)), level, float(erlang_c(load, clerks)), load / clerks
            )
    raise InputError(f"more than {MOST_CLERKS} clerks", where="required_clerks", what_to_do="check the units")


def servable_rates(
    most: int,
    service_seconds: float,
    target: ServiceTarget = DEFAULT_TARGET,
    *,
    service_cv2: float = 1.0,
    arrival_cv2: float = 1.0,
) -> Floats:
    """Return, for 0…*most* clerks, the highest arrivals per second at which they meet *target*.

    The inverse of `required_clerks`: for any rate, `np.searchsorted(rates, rate)` is the number of clerks needed, so
    that thousands of quarter hours, or a whole distribution of rates, cost one table.
    """
    clerks = np.arange(1, most + 1)
    low, high = np.zeros(most), clerks * (1 - 1e-9)
    for _ in range(BISECTIONS):  # of all numbers of clerks at once
        middle = (low + high) / 2
        level = general_service_level(
            target.within, middle, service_seconds, clerks, service_cv2=service_cv2, arrival_cv2=arrival_cv2
        )
        met = level >= target.share
        low, high = np.where(met, middle, low), np.where(met, high, middle)
    return np.concatenate([[0.0], np.minimum(low, clerks * target.max_occupancy)]) / service_seconds
