"""The CoE's regular job: judge what would be trained today against what serves, train on everything, promote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from recommender.guard import compare, enough_to_judge
from recommender.plan import TrainingPlan
from recommender.record import Frames
from recommender.registry import Comparison, Registry
from recommender.trained import TrainedModel
from recommender.training import train

Say = Callable[[str, float], None]
"""Hears of every stage with the seconds so far in its training."""


@dataclass(frozen=True)
class Retrained:
    """A new version, not promoted yet, and how its like did against the one that serves (None: nothing to judge by)."""

    version: str
    model: TrainedModel
    before: str | None
    comparison: Comparison | None


def retrain(
    frames: Frames, registry: Registry, *, cut_off: datetime, timezone: str, now: datetime, seed: int = 0,
    budget_minutes: float | None = None, plan: TrainingPlan | None = None, say: Say = lambda stage, seconds: None,
) -> Retrained:  # fmt: skip
    """Train a version on everything before `cut_off` and add it to the registry; `plan` None: the defaults.

    Where enough customers bought since the serving version was trained, a challenger is first trained on what that
    version knew, with today's code and settings, and both are judged on those purchases.
    """
    before = registry.current_version()
    comparison = None
    if before is not None:
        current = registry.load(before)
        if enough_to_judge(frames.lines, current.cut_off):
            say(f"challenger of {before}, as of {current.cut_off:%Y-%m-%d %H:%M}", 0.0)
            earlier = frames.dataset(current.cut_off, timezone)
            challenger = train(earlier, seed=seed, budget_minutes=budget_minutes, plan=plan, progress=say)
            comparison = compare(challenger, current, frames.lines)
    say("training on everything known", 0.0)
    dataset = frames.dataset(cut_off, timezone)
    model = train(dataset, seed=seed, budget_minutes=budget_minutes, plan=plan, progress=say)
    return Retrained(registry.add(model, now=now), model, before, comparison)
