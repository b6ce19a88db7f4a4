"""The settings of the application that serves this request."""

from __future__ import annotations

from flask import current_app

from clerk_ui.settings import Settings


def settings() -> Settings:
    """The settings that ``create_app`` was given."""
    found = current_app.extensions["osusume.settings"]
    assert isinstance(found, Settings)
    return found
