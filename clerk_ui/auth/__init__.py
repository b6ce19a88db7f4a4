"""Who may do what: tablets with a person on them, machines with keys, managers and the CoE with passwords."""

from __future__ import annotations

from flask import Flask

from clerk_ui.auth import callers, devices, sessions, sign_in_form


def init_app(app: Flask) -> None:
    """Register the routes of enrolment, tablet sessions and the sign-in form."""
    callers.init_app(app)
    for blueprint in (devices.blueprint, sessions.blueprint, sign_in_form.blueprint):
        app.register_blueprint(blueprint)
