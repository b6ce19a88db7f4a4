"""What time a tap was made when the tablet's clock cannot be trusted.

A tablet tells when a tap happened (``occurred_at``) and what its clock shows while it sends (``sent_at``). Sending
time against our clock gives the error of the tablet's clock, also for a tap that waited hours for a network.
"""

from __future__ import annotations

from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)


def true_moment(
    occurred_at: datetime, *, received_at: datetime, sent_at: datetime | None = None, not_before: datetime | None = None
) -> datetime:
    """The moment that orders a tap among others.

    Within five minutes the tablet is believed. Beyond that its error is taken off. Where what is left still cannot be
    (later than its arrival, or earlier than ``not_before``, the showing of the suggestion), the arrival counts.
    """
    error = sent_at - received_at if sent_at is not None else timedelta()
    moment = occurred_at - error if abs(error) > TOLERANCE else occurred_at
    if moment > received_at + TOLERANCE:
        return received_at
    if not_before is not None and moment < not_before - TOLERANCE:
        return received_at
    return moment
