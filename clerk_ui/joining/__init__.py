"""Becoming a member: the code on the tablet, and the pages on the customer's own phone."""

from __future__ import annotations

from flask import Flask

from clerk_ui.joining import invitations, pages


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.register_blueprint(invitations.blueprint)
    app.register_blueprint(pages.blueprint)
