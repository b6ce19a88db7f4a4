"""Pages of the CoE (CX推進チーム)."""

from __future__ import annotations

from flask import Flask

from clerk_ui.coe import data, models


def init_app(app: Flask) -> None:
    """Register the pages."""
    for blueprint in (models.blueprint, data.blueprint):
        app.register_blueprint(blueprint)
