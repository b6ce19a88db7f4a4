"""Pages of a store's manager (店長)."""

from __future__ import annotations

from flask import Flask

from clerk_ui.store import availability, coaching, contests, focus, know_how, person, plan, staffing, team


def init_app(app: Flask) -> None:
    """Register the pages."""
    for pages in (team, person, coaching, contests, know_how, staffing, plan, availability, focus):
        app.register_blueprint(pages.blueprint)
