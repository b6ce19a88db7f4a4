"""Queues of customers for clerks: waiting, giving up, and how many clerks a service target takes."""

from analytics.queues.erlang import erlang_b, erlang_c, service_level, wait_beyond
from analytics.queues.general import general_service_level, mean_wait
from analytics.queues.impatience import Impatience, abandonment, erlang_a
from analytics.queues.required import DEFAULT_TARGET, Requirement, ServiceTarget, required_clerks, servable_rates
from analytics.queues.simulation import simulate_queue

__all__ = [
    "DEFAULT_TARGET",
    "Impatience",
    "Requirement",
    "ServiceTarget",
    "abandonment",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "general_service_level",
    "mean_wait",
    "required_clerks",
    "servable_rates",
    "service_level",
    "simulate_queue",
    "wait_beyond",
]
