"""Where the web shop meets us: the beacon and what it sends, and a small shop to try it in."""

from __future__ import annotations

from flask import Flask

from clerk_ui.application_settings import settings
from clerk_ui.web import beacon, demo_shop


def init_app(app: Flask) -> None:
    """Register the routes; the demo shop only where a setting asks for it."""
    beacon.init_app(app)
    app.register_blueprint(beacon.blueprint)
    with app.app_context():
        if settings().web.demo_shop:
            app.register_blueprint(demo_shop.blueprint)
