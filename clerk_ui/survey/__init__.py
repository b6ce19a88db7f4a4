"""Pages that customers open from a link: the one-tap survey."""

from __future__ import annotations

from flask import Flask

from clerk_ui.survey import pages


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(pages.blueprint)
