"""``osusume evaluate`` and ``retrain``: how good the models are, and the CoE's regular job with its guard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.commands.models import Moment, audit_act, localised, peak_memory_mb, told_stage
from journey.database import reading
from journey.errors import InputError, NotEnoughData
from recommender.registry import Registry

EVALUATED = timedelta(days=28)  # without --as-of, the last four weeks are judged


def _ks(text: str) -> tuple[int, ...]:
    try:
        ks = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        ks = ()
    if not ks or ks[0] < 1 or ks[-1] > 100:
        raise InputError(f"{text!r} is no list of numbers from 1 to 100", where="--k", what_to_do="write 5,10,20")
    return ks


@click.command()
@click.option("--as-of", default=None, type=Moment(), help="Judge on what was bought after this moment.")
@click.option(
    "--leave-last-basket",
    "last_basket",
    is_flag=True,
    help="Judge on each customer's last basket instead (as papers do).",
)
@click.option("--k", "ks", default="5,10,20", show_default=True, help="List lengths, joined by commas.")
@click.option("--seed", default=0, show_default=True, type=int)
@click.option("--budget", default=None, type=click.FloatRange(0.1), help="Minutes to spend on training, about.")
@at_desk
def evaluate_command(
    desk: Desk, as_of: datetime | None, last_basket: bool, ks: str, seed: int, budget: float | None
) -> None:
    """Evaluate every candidate model, the ranker and plain baselines, overall and for repeat and new products."""
    from recommender.evaluation import evaluate, leave_last_basket
    from recommender.record import default_cut_off, load_frames
    from recommender.truth import next_baskets

    if last_basket and as_of is not None:
        raise InputError("the last basket needs no moment", where="--as-of", what_to_do="leave one of the two out")
    zone = desk.settings.chain.timezone
    desk.progress("    0.0 s  reading the record")
    frames = load_frames(desk.engine, desk.home, timezone=zone)
    if last_basket:
        dataset, truth = leave_last_basket(frames.dataset(None, zone))
    else:
        moment = localised(desk, as_of) or default_cut_off(frames.lines, frames.events, now=desk.now) - EVALUATED
        dataset = frames.dataset(moment, zone)
        truth = next_baskets(frames.lines, dataset, frames.stores, timezone=zone)
    if not truth.customer_ids:
        raise NotEnoughData(
            "nobody bought after the cut-off", where="--as-of", what_to_do="choose an earlier one, or import more"
        )
    document = evaluate(
        dataset,
        truth,
        ks=_ks(ks),
        seed=seed,
        budget_minutes=budget,
        progress=lambda stage, s: told_stage(desk, stage, s),
    )
    document["protocol"] = "leave last basket" if last_basket else "next basket after the cut-off"
    desk.show(document, lambda: _show_evaluation(desk, document))


def _show_evaluation(desk: Desk, document: dict[str, Any]) -> None:
    """Each model's figures with their intervals, best first, for each of the three questions."""
    k = 10 if 10 in document["k"] else document["k"][-1]
    for kind, customers in document["customers"].items():
        rows = [
            {"model": model} | {name: _with_interval(figures[kind][name]) for name in (f"recall@{k}", f"ndcg@{k}")}
            for model, figures in document["models"].items()
        ]
        rows.sort(key=lambda row: row[f"ndcg@{k}"], reverse=True)
        desk.table(rows, ["model", f"recall@{k}", f"ndcg@{k}"], title=f"{kind}: {customers:,} customers")
    desk.say(f"{document['protocol']}, as of {document['as_of']}")


def _with_interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


@click.command()
@click.option("--seed", default=0, show_default=True, type=int)
@click.option("--budget", default=None, type=click.FloatRange(0.1), help="Minutes to spend on each training, about.")
@at_desk
def retrain_command(desk: Desk, seed: int, budget: float | None) -> None:
    """Train, evaluate, guard, promote and warm the online store; safe to run from cron.

    What would be promoted is first trained on what the serving version knew and judged against it on what customers
    bought since; a worse one is not promoted (exit 1) and the serving version stays.
    """
    from recommender.guard import compare
    from recommender.record import default_cut_off, load_frames
    from recommender.training import train

    zone, registry = desk.settings.chain.timezone, Registry(desk.home)
    frames = load_frames(desk.engine, desk.home, timezone=zone)
    cut_off = default_cut_off(frames.lines, frames.events, now=desk.now)
    serving = registry.current_version()
    comparison = None
    if serving is not None:
        current = registry.load(serving)
        desk.progress(f"judging against {serving} on what was bought since {current.cut_off:%Y-%m-%d %H:%M}")
        earlier = frames.dataset(current.cut_off, zone)
        challenger = train(earlier, seed=seed, budget_minutes=budget, progress=lambda s, t: told_stage(desk, s, t))
        comparison = compare(challenger, current, frames.lines)
    desk.progress("training on everything known")
    model = train(
        frames.dataset(cut_off, zone), seed=seed, budget_minutes=budget, progress=lambda s, t: told_stage(desk, s, t)
    )
    version = registry.add(model, now=desk.now)
    registry.promote(version, now=desk.now, by="retrain", comparison=comparison)
    audit_act(desk, "model.promoted", version, {"by": "retrain"})
    document = {
        "version": version,
        "before": serving,
        "comparison": None if comparison is None else vars(comparison),
        "warmed": _warm(desk),
        "metrics": dict(model.metrics),
        "peak_memory_mb": peak_memory_mb(),
    }
    judged = "no purchases since to judge by"
    if comparison is not None:
        figures = f"{comparison.candidate:.4f} against {comparison.current:.4f}"
        judged = f"{comparison.metric} {figures} on {comparison.evaluation}"
    desk.show(document, lambda: desk.say(f"{version} serves now ({judged}); {document['warmed']:,} events warmed"))


def _warm(desk: Desk) -> int:
    """Put recent events back into the online store, where there is a shared one."""
    if not desk.settings.storage.redis_url:
        return 0
    from recommender.event_memory import rebuild
    from recommender.serving import online_store

    with reading(desk.engine) as session:
        return rebuild(session, online_store(desk.settings.storage.redis_url), now=desk.now)
