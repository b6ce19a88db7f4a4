"""Training: from a dataset to a model version."""

from typing import Any

from recommender.acceptance import judged, learn
from recommender.batch import Fitted, cold_lists, ranked_ahead
from recommender.candidates import sessions
from recommender.candidates.web import session_similarity
from recommender.cold_start import cold_start_report
from recommender.concentration import concentration
from recommender.dataset import Dataset
from recommender.learning import fit
from recommender.neighbour_lists import copurchase, neighbour_lists
from recommender.pace import Pace
from recommender.plan import TrainingPlan
from recommender.provenance import fingerprint
from recommender.serving_facts import foremost, live_rates, repeat_shares
from recommender.stopwatch import Progress, Stopwatch
from recommender.trained import ItemNeighbours, TrainedModel

SESSION_NEIGHBOURS = 50


def train(
    dataset: Dataset,
    *,
    seed: int = 0,
    budget_minutes: float | None = None,
    plan: TrainingPlan | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """A model version learnt from everything in `dataset`, as plain arrays.

    `budget_minutes` shrinks `plan` (None: the defaults) to what this machine, as measured on the way, does in that
    time; `progress` is called with the stage that begins and the seconds so far. The same dataset, seed and plan
    without a budget give the same model; what a budget came to is in `parameters["plan"]`.
    """
    watch, pace = Stopwatch(progress), Pace.of(budget_minutes)
    plan = pace.begun(plan or TrainingPlan())
    # first, so that what it took is known when the rest is planned
    with watch.stage("sessions"):
        next_looks = sessions.fit(dataset.web, len(dataset.product_ids), seed=seed, contexts=plan.contexts)
    fitted = fit(dataset, seed, plan, watch, pace)
    view = fitted.panel.view
    with watch.stage("lists"):
        ahead, cold = ranked_ahead(fitted), cold_lists(fitted)
    with watch.stage("neighbours"):
        together, seen = copurchase(view), ItemNeighbours.empty(view.products)
        if len(view.web):
            seen = neighbour_lists(session_similarity(view, SESSION_NEIGHBOURS))
    usual = foremost(ahead)
    with watch.stage("cold start"):
        cold_start = cold_start_report(dataset, seed)
    return TrainedModel(
        cut_off=dataset.as_of,
        product_ids=dataset.product_ids,
        customer_ids=dataset.customer_ids,
        store_ids=dataset.store_ids,
        ahead=ahead,
        cold=cold,
        copurchase=together,
        coview=seen,
        parameters={
            "plan": plain(fitted.plan),
            "choices": {kind: plain(choice) for kind, choice in fitted.choices.items()},
            "live_rates": live_rates(dataset),
            "acceptance": learn(dataset.answered, usual).described(),
        },
        metrics=fitted.metrics
        | guard_figure(fitted, dataset)
        | {
            "concentration": concentration(ahead, view.products, view.popularity),
            "cold_start": cold_start,
            "acceptance": judged(dataset.answered, usual),
        },
        stage_seconds=watch.seconds,
        rows=dataset.rows,
        seed=seed,
        sessions=next_looks,
        arrays={"repeat_share": repeat_shares(dataset.carded, view.products)},
        data=fingerprint(dataset),
    )


def guard_figure(fitted: Fitted, dataset: Dataset) -> dict[str, Any]:
    """The figure by which versions of the same record are compared where nothing was bought since; see `Registry`."""
    choice = fitted.choices.get("all")
    if choice is None:
        return {}
    evaluation = f"validation baskets, {dataset.rows} rows before {dataset.as_of:%Y-%m-%d %H:%M}"
    return {"guard": {"evaluation": evaluation, "metric": "recall@10 and ndcg@10, mean", "value": choice.value}}


def plain(value: Any) -> Any:
    """Dataclasses and tuples as JSON-able dicts and lists."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value
