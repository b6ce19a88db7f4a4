"""WHO SEES IT: the only package that knows HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_ui.settings import Settings

if TYPE_CHECKING:
    from apiflask import APIFlask


def create_app(settings: Settings | None = None) -> APIFlask:
    """The application for these settings (default: those of the environment).

    Raises:
        SettingsError: a setting cannot be used, or the database is not at the newest schema.
    """
    # The command line imports this package for its settings alone and must not wait for Flask.
    from clerk_ui.application import build

    return build(settings or Settings.from_environment())
