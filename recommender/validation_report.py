"""What the validation view says of a version beyond one figure: segments and calibration, kept in its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender.baskets import Floats
from recommender.calibration import Calibration
from recommender.dataset import Dataset
from recommender.examples import Scene
from recommender.ranker import standardised
from recommender.reliability import reliability
from recommender.segments import segment_metrics
from recommender.selection import Choice
from recommender.views import View


def validation_report(
    dataset: Dataset, cut: int, scene: Scene, chosen: Mapping[str, tuple[Choice, dict[str, Floats]]], seed: int = 0
) -> dict[str, Any]:
    """``segments`` and ``reliability`` of the rankers as they were judged: grown on earlier views, before their last
    view. `chosen` holds for all and explore the choice and each booster's raw scores of the scene.
    """
    scores = {kind: _judged_score(scene, choice, raw) for kind, (choice, raw) in chosen.items()}
    view = View.of(dataset, cut)
    bought, raw = scene.examples.bought, chosen["all"][1]["binary"]
    half = np.arange(len(raw)) < len(raw) // 2
    curve = Calibration.learnt(raw[half], bought[half])
    return {
        "segments": segment_metrics(view, scene, scores, seed),
        "reliability": reliability(curve(raw[~half]), bought[~half]),
    }


def _judged_score(scene: Scene, choice: Choice, raw: Mapping[str, Floats]) -> Floats:
    if choice.single is not None:
        column = scene.examples.matrix[:, scene.examples.names.index(f"score_{choice.single}")]
        return np.nan_to_num(column, nan=0.0)
    total = np.zeros(len(scene.product), np.float32)
    for name in choice.objectives:
        # one objective alone is judged as it comes, as in `selection.choose`; its order is the same
        total += standardised(raw[name], scene.indptr)
    return total
