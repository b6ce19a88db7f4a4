"""The API of the clerk's tablet, most of which machines may use too, and the page that holds the tablet's app."""

from __future__ import annotations

from flask import Flask

from clerk_ui.counter import (
    customers,
    dismissals,
    expected,
    follow_ups,
    my_day,
    outcomes,
    products,
    redemptions,
    shell,
    suggestions,
)


def init_app(app: Flask) -> None:
    """Register the routes."""
    for module in (
        customers,
        products,
        suggestions,
        outcomes,
        dismissals,
        follow_ups,
        redemptions,
        expected,
        my_day,
        shell,
    ):
        app.register_blueprint(module.blueprint)
