"""Pages of the CoE (CX推進チーム)."""

from __future__ import annotations

from flask import Flask

from clerk_ui.coe import (
    actions,
    cx,
    data,
    focus,
    identity,
    inputs,
    kept,
    merchandise,
    model_version,
    models,
    passages,
    risks,
    surveys,
    tree,
    units,
    voices,
    words,
)


def init_app(app: Flask) -> None:
    """Register the pages."""
    words.init_app(app)
    for blueprint in (
        models.blueprint,
        model_version.blueprint,
        inputs.blueprint,
        focus.blueprint,
        data.blueprint,
        identity.blueprint,
        passages.blueprint,
        kept.blueprint,
        cx.blueprint,
        voices.blueprint,
        risks.blueprint,
        merchandise.blueprint,
        surveys.blueprint,
        actions.blueprint,
        tree.blueprint,
        units.blueprint,
    ):
        app.register_blueprint(blueprint)
