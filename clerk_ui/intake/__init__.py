"""Where machines bring facts: events, till lines, arrivals, answers, counts, stock."""

from __future__ import annotations

from flask import Flask

from clerk_ui.intake import coupons, facts, links, visitor_codes


def init_app(app: Flask) -> None:
    """Register the routes."""
    facts.init_app(app)
    for blueprint in (facts.blueprint, links.blueprint, coupons.blueprint, visitor_codes.blueprint):
        app.register_blueprint(blueprint)
