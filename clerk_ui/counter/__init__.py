"""The API of the clerk's tablet, most of which machines may use too, and the page that holds the tablet's app."""

from __future__ import annotations

from flask import Flask

from clerk_ui.counter import (
    consents,
    customers,
    dismissals,
    expected,
    focus,
    follow_ups,
    know_how,
    know_how_memory,
    my_day,
    offers,
    outcomes,
    places,
    products,
    redemptions,
    shelf_memory,
    shell,
    suggestions,
)


def init_app(app: Flask) -> None:
    """Register the routes."""
    places.init_app(app)
    shelf_memory.init_app(app)
    know_how_memory.init_app(app)
    expected.init_app(app)
    for module in (
        customers,
        consents,
        products,
        suggestions,
        outcomes,
        dismissals,
        offers,
        follow_ups,
        know_how,
        redemptions,
        expected,
        my_day,
        focus,
        shell,
    ):
        app.register_blueprint(module.blueprint)
