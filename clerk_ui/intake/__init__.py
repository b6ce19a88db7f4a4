"""Where machines bring facts: events, till lines, arrivals, answers, counts, stock."""

from __future__ import annotations

from flask import Flask

from clerk_ui.intake import facts


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(facts.blueprint)
