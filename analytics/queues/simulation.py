"""A discrete-event simulation of the G/G/c queue, first come first served, many replications side by side."""

from __future__ import annotations

import numpy as np

from analytics.rates import Floats
from journey.errors import InputError


def simulate_queue(
    arrivals: Floats, service: Floats, clerks: int, patience: Floats | None = None
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Return waits and who was served (both replications × customers).

    *arrivals* are times in seconds, ascending along the second axis; *service* are the seconds of each customer and
    *patience* how long each would wait. Who gives up has waited his patience. Every clerk takes the next customer in
    line, which is what the recursion of Kiefer and Wolfowitz (1955) describes. Raises InputError without clerks.
    """
    if clerks < 1:
        raise InputError(f"{clerks} clerks", where="simulate_queue", what_to_do="give one or more")
    replications, customers = arrivals.shape
    free = np.zeros((replications, clerks))
    waits = np.empty((replications, customers))
    served = np.ones((replications, customers), dtype=np.bool_)
    row = np.arange(replications)
    for i in range(customers):
        first = free.argmin(axis=1)
        at = free[row, first]
        wait = np.maximum(at - arrivals[:, i], 0.0)
        if patience is not None:
            stays = wait <= patience[:, i]
            served[:, i] = stays
            wait = np.minimum(wait, patience[:, i])
            free[row, first] = np.where(stays, arrivals[:, i] + wait + service[:, i], at)
        else:
            free[row, first] = arrivals[:, i] + wait + service[:, i]
        waits[:, i] = wait
    return waits, served
