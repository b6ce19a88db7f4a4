"""``osusume evaluate``: how good every model is on what customers bought next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.commands.models import Moment, localised, told_stage
from journey.errors import InputError, NotEnoughData

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
