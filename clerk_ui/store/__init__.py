"""Pages of a store's manager (店長)."""

from __future__ import annotations

from flask import Flask

from clerk_ui.store import availability, focus, plan, staffing, team


def init_app(app: Flask) -> None:
    """Register the pages."""
    for pages in (team, staffing, plan, availability, focus):
        app.register_blueprint(pages.blueprint)
