"""Pages of a store's manager (店長)."""

from __future__ import annotations

from flask import Flask

from clerk_ui.store import (
    availability,
    coaching,
    contests,
    focus,
    know_how,
    live,
    person,
    plan,
    staffing,
    tablets,
    team,
    today,
    voice,
    week,
)


def init_app(app: Flask) -> None:
    """Register the pages."""
    for pages in (
        today,
        live,
        team,
        person,
        coaching,
        contests,
        know_how,
        staffing,
        plan,
        availability,
        week,
        focus,
        voice,
        tablets,
    ):
        app.register_blueprint(pages.blueprint)
