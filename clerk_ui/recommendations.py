"""The one place where HTTP meets the recommender: the model in use."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app

from clerk_ui.application_settings import settings
from journey.errors import OsusumeError
from recommender.registry import Registry
from recommender.served_model import ServedModel


def init_app(app: Flask) -> None:
    """Point at the registry; the model is read with the first request, after the workers were forked."""
    with app.app_context():
        app.extensions["osusume.model"] = ServedModel(Registry(settings().storage.home))


def served_model() -> ServedModel:
    """The model of this worker."""
    model = current_app.extensions["osusume.model"]
    assert isinstance(model, ServedModel)
    return model


def states() -> dict[str, dict[str, Any]]:
    """How the parts are that suggestions need; none of them is indispensable to the app."""
    try:
        version, _ = served_model().get()
        trouble = served_model().trouble
        return {"model": {"state": "degraded" if trouble else "ok", "detail": trouble or version}}
    except OsusumeError as error:
        return {"model": {"state": "degraded", "detail": error.sentence}}
