"""The API of the clerk's tablet, most of which machines may use too, and the page that holds the tablet's app."""

from __future__ import annotations

from flask import Flask

from clerk_ui.counter import outcomes


def init_app(app: Flask) -> None:
    """Register the routes."""
    for module in (outcomes,):
        app.register_blueprint(module.blueprint)
