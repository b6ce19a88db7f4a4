"""What Prometheus reads at ``/metrics``.

With several workers each writes its numbers to files in ``PROMETHEUS_MULTIPROC_DIR`` (set by ``gunicorn_conf.py``) and
whichever worker is asked adds them up. Labels are routes, never ids.
"""

from __future__ import annotations

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from clerk_ui.request_log import elapsed

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUESTS = Counter("osusume_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "osusume_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SUGGESTIONS = Counter("osusume_suggestions_total", "Suggestions shown", ["path"])
RULES = Counter("osusume_rule_actions_total", "Candidates that a rule took away or moved", ["rule"])
OUTCOMES = Counter("osusume_outcomes_total", "Outcomes recorded for the first time", ["result"])
OFFERS = Counter("osusume_offers_total", "Offers besides products, shown and answered", ["kind", "what"])
ROWS = Counter("osusume_intake_rows_total", "Rows received over HTTP", ["table", "what"])
SIGN_INS = Counter("osusume_sign_ins_total", "Attempts to sign in", ["method", "success"])
PLAINER = Counter("osusume_plainer_suggestions_total", "Suggestions made without a part that did not answer", ["part"])


def init_app(app: Flask) -> None:
    """Count and time every request."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    rule = request.url_rule
    route = rule.rule if rule else "none"
    method = request.method if request.method in METHODS else "other"  # a stranger must not invent labels
    REQUESTS.labels(method, route, response.status_code).inc()
    SECONDS.labels(route).observe(elapsed())
    return response


def exposition() -> tuple[bytes, str]:
    """The text that Prometheus reads, and its content type."""
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # a single process: its numbers are in memory
        registry = REGISTRY
    return generate_latest(registry), CONTENT_TYPE_LATEST
