"""The G/G/c queue by Allen and Cunneen: service and arrivals need not be exponential.

Source: Allen (1990), Probability, Statistics and Queueing Theory, section 5.3: the mean wait of M/M/c times
(c_a² + c_s²)/2, with the squared coefficients of variation of the gaps between arrivals and of the service times.
The waits of those who wait are taken as exponential with that mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analytics.queues.erlang import erlang_c
from analytics.rates import Floats


def mean_wait(
    load: ArrayLike, service_seconds: float, clerks: int, *, service_cv2: float = 1.0, arrival_cv2: float = 1.0
) -> Floats:
    """Return the mean wait in seconds over all customers; infinite where the load is not below *clerks*."""
    a = np.asarray(load, dtype=np.float64)
    spare = clerks - a
    variability = (arrival_cv2 + service_cv2) / 2
    wait = erlang_c(a, clerks) * service_seconds / np.where(spare > 0, spare, 1.0) * variability
    return np.asarray(np.where(spare > 0, wait, np.inf))


def general_service_level(
    seconds: float,
    load: ArrayLike,
    service_seconds: float,
    clerks: ArrayLike,
    *,
    service_cv2: float = 1.0,
    arrival_cv2: float = 1.0,
) -> Floats:
    """Return the share of customers attended within *seconds*; equal to Erlang-C where both variabilities are 1."""
    a = np.asarray(load, dtype=np.float64)
    spare = np.asarray(clerks, dtype=np.intp) - a
    # A deterministic queue would have a wait of zero; the floor keeps the exponent finite and changes nothing else.
    variability = max((arrival_cv2 + service_cv2) / 2, 1e-6)
    decay = np.exp(-np.maximum(spare, 0.0) * seconds / service_seconds / variability)
    return np.asarray(np.where(spare > 0, 1.0 - erlang_c(a, clerks) * decay, 0.0))
