"""``osusume retrain``: the CoE's regular job, safe to run from cron."""

from __future__ import annotations

import click

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.commands.models import audit_act, peak_memory_mb, told_stage, tracked
from journey.database import reading
from journey.errors import ModelRefused, OsusumeError
from recommender.registry import Registry

KEPT = 12


@click.command()
@click.option("--seed", default=0, show_default=True, type=int)
@click.option("--budget", default=None, type=click.FloatRange(0.1), help="Minutes to spend on each training, about.")
@click.option("--keep", default=KEPT, show_default=True, type=click.IntRange(2), help="Versions to keep; 2 at least.")
@at_desk
def retrain_command(desk: Desk, seed: int, budget: float | None, keep: int) -> None:
    """Train, evaluate, guard, promote and warm the online store; safe to run from cron.

    What would be promoted is first trained on what the serving version knew and judged against it on what customers
    bought since; a worse one is not promoted (exit 1) and the serving version stays. While another training runs,
    nothing is done (exit 2).
    """
    from recommender.drift import keep as keep_inputs
    from recommender.drift import measure
    from recommender.record import default_cut_off, load_frames
    from recommender.retraining import retrain
    from recommender.training_lock import one_training

    registry, zone = Registry(desk.home), desk.settings.chain.timezone
    with one_training(registry.models, "retrain", now=desk.now) as note:

        def tell(stage: str, seconds: float) -> None:
            note.stage(stage)
            told_stage(desk, stage, seconds)

        tell("reading the record", 0.0)
        frames = load_frames(desk.engine, desk.home, timezone=zone)
        cut_off = default_cut_off(frames.lines, frames.events, now=desk.now)
        made = retrain(
            frames, registry, cut_off=cut_off, timezone=zone, now=desk.now, seed=seed, budget_minutes=budget, say=tell
        )
        try:
            registry.promote(made.version, now=desk.now, by="retrain", comparison=made.comparison)
        except ModelRefused as refused:
            audit_act(desk, "model.refused", made.version, {"by": "retrain"} | dict(refused.facts))
            refused_document = {
                "version": made.version,
                "before": made.before,
                "refused": refused.sentence,
                "comparison": None if made.comparison is None else vars(made.comparison),
                "metrics": dict(made.model.metrics),
                "pruned": registry.prune(keep),
                "tracking": tracked(desk, made.version, "retrain"),
            }
            desk.show(refused_document, lambda: desk.say(f"{made.before} goes on serving; {made.version} waits"))
            raise
        audit_act(desk, "model.promoted", made.version, {"by": "retrain"})
        pruned = registry.prune(keep)
        keep_inputs(registry.models, measure(desk.home, made.model.cut_off, at=desk.now))
        warmed = _warm(desk)
        tell("focus lists", 0.0)
        focus = _focus(desk)
    comparison = made.comparison
    document = {
        "version": made.version,
        "before": made.before,
        "comparison": None if comparison is None else vars(comparison),
        "warmed": warmed,
        "pruned": pruned,
        "focus": focus,
        "rows": made.model.rows,
        "seconds": dict(made.model.stage_seconds),
        "metrics": dict(made.model.metrics),
        "tracking": tracked(desk, made.version, "retrain"),
        "peak_memory_mb": peak_memory_mb(),
    }
    judged = "no purchases since to judge by"
    if comparison is not None:
        figures = f"{comparison.candidate:.4f} against {comparison.current:.4f}"
        judged = f"{comparison.metric} {figures} on {comparison.evaluation}"
    desk.show(document, lambda: desk.say(f"{made.version} serves now ({judged}); {warmed:,} events warmed"))


def _focus(desk: Desk) -> int:
    """Make the focus lists anew; returns how many proposals they hold. Trouble with them spoils no training."""
    from clerk_ui.focus_results import make_focus

    try:
        document = make_focus(desk.engine, desk.settings, now=desk.now)
    except OsusumeError as error:
        click.echo(f"osusume: focus lists: {error.sentence}", err=True)
        return 0
    return sum(store["customers"] for campaign in document["campaigns"] for store in campaign["stores"])


def _warm(desk: Desk) -> int:
    """Put recent events back into the online store, where there is a shared one."""
    if not desk.settings.storage.redis_url:
        return 0
    from recommender.event_memory import rebuild
    from recommender.serving import online_store

    with reading(desk.engine) as session:
        return rebuild(session, online_store(desk.settings.storage.redis_url), now=desk.now)
