"""What makes the tablet an app: its manifest and its service worker."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the routes."""
