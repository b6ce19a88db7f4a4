"""Training: from a dataset to a model version, in reading order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from recommender.baskets import Ints
from recommender.batch import Fitted, cold_lists, ranked_ahead
from recommender.calibration import Calibration
from recommender.candidates.roster import Roster
from recommender.candidates.web import session_similarity
from recommender.dataset import Dataset
from recommender.examples import Scene, lessons, panel_of, scene_of
from recommender.metrics import expected_calibration_error
from recommender.neighbour_lists import copurchase, neighbour_lists
from recommender.ranker import Ranker, RankerSettings, binned, grow
from recommender.selection import Choice, choose
from recommender.trained import ItemNeighbours, RankedLists, TrainedModel
from recommender.views import View

Progress = Callable[[str, float], None]

FEWEST_GROUPS = 150
"""Customers with a target below which no ranker is learnt: the models are fused by their ranks instead."""


@dataclass(frozen=True)
class TrainingPlan:
    """How much is learnt from. The defaults are the same for every retailer.

    `views` most views learnt from; `customers` examples per view; `judged` customers of the validation view whose
    candidates are all kept; `rows` bounds the rows in memory, by the share of negatives kept.
    """

    views: int = 4
    more_views: int = 8
    few_examples: int = 6_000
    customers: int = 6_000
    judged: int = 2_500
    rows: int = 2_400_000
    threads: int = 2
    ranker: RankerSettings = field(default_factory=RankerSettings)


@dataclass
class Stopwatch:
    """Seconds by stage, told to `progress` as stages begin."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do the work of a stage and take its time."""
        begin = perf_counter()
        if self.progress is not None:
            self.progress(stage, sum(self.seconds.values()))
        result = work()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + perf_counter() - begin, 3)
        return result


@dataclass
class Lessons:
    """What the ranker learns from: thinned scenes of every view, and the validation scene with all candidates."""

    scenes: dict[int, Scene]
    judged: Scene
    models: list[str]


def view_cuts(dataset: Dataset, plan: TrainingPlan) -> list[int]:
    """The cuts to learn from: more of them where customers are few, fewer where histories are short."""
    counts = dataset.basket_counts
    cuts: list[int] = []
    learnt = 0
    for cut in range(1, plan.more_views + 1):
        eligible = min(int((counts > cut).sum()), plan.customers)
        if eligible < FEWEST_GROUPS or (cut > plan.views and learnt >= plan.few_examples):
            break
        cuts.append(cut)
        learnt += eligible
    return cuts


def gather_lessons(dataset: Dataset, roster: Roster, plan: TrainingPlan, seed: int, watch: Stopwatch) -> Lessons | None:
    """Scenes of all views; None where there is too little history to learn and validate."""
    cuts = view_cuts(dataset, plan)
    if len(cuts) < 2:
        return None
    random = np.random.default_rng(seed)
    scenes: dict[int, Scene] = {}
    judged: Scene | None = None
    models: list[str] = []
    for cut in cuts:
        view = View.of(dataset, cut)
        panel = watch.run("models", lambda view=view: panel_of(view, roster, seed))
        models = panel.pool.names
        chosen = _sample(view.eligible(), plan.customers, random)
        if judged is None:
            some = _sample(chosen, plan.judged, random)
            judged = watch.run(
                "features", lambda panel=panel, some=some: scene_of(panel, some, 1.0, seed, plan.threads)
            )
            per_view = plan.rows / len(cuts)
            expected = len(judged.product) / max(len(some), 1) * min(plan.customers, len(chosen))
            negatives = float(min(1.0, per_view / max(expected, 1.0)))
            rest = np.setdiff1d(chosen, some).astype(np.int32)
            others = watch.run(
                "features", lambda panel=panel, rest=rest: scene_of(panel, rest, negatives, seed, plan.threads)
            )
            scenes[cut] = judged.thinned(negatives, seed).joined(others)
        else:
            scenes[cut] = watch.run(
                "features",
                lambda panel=panel, chosen=chosen, cut=cut: scene_of(
                    panel, chosen, negatives, seed + cut, plan.threads
                ),
            )
    assert judged is not None
    return Lessons(scenes, judged, models)


def fit(dataset: Dataset, seed: int = 0, plan: TrainingPlan | None = None, watch: Stopwatch | None = None) -> Fitted:
    """Learn the rankers and fit every model on the whole record, ready to rank any customer."""
    plan, watch = plan or TrainingPlan(), watch or Stopwatch()
    roster = watch.run("content", lambda: Roster(dataset, seed, plan.threads))
    learnt = gather_lessons(dataset, roster, plan, seed, watch)
    rankers: dict[str, Ranker] = {}
    choices: dict[str, Choice] = {}
    calibration = Calibration(np.zeros(1, np.float32), np.full(1, np.nan, np.float32))
    probability: Ranker | None = None
    metrics: dict[str, Any] = {}
    if learnt is not None:
        cuts = sorted(learnt.scenes)
        for kind in ("all", "explore"):
            new_only = kind == "explore"
            earlier = [learnt.scenes[cut] for cut in cuts[1:]]
            choice, raw = watch.run(
                "validation", lambda: choose(earlier, learnt.judged, learnt.models, new_only, plan.ranker)
            )
            choices[kind] = choice
            rankers[kind], binary = watch.run("ranker", lambda: _final(learnt, choice, new_only, plan.ranker, kind))
            metrics[f"validation_{kind}"] = round(choice.value, 5)
            metrics[f"validation_{kind}_best_single"] = round(choice.single_value, 5)
            if not new_only:
                probability = binary
                calibration = Calibration.learnt(raw["binary"], learnt.judged.examples.bought)
                half = np.arange(len(raw["binary"])) < len(raw["binary"]) // 2
                curve = Calibration.learnt(raw["binary"][half], learnt.judged.examples.bought[half])
                metrics["calibration_error"] = round(
                    expected_calibration_error(curve(raw["binary"][~half]), learnt.judged.examples.bought[~half]), 5
                )
        metrics["reach"] = {str(cut): round(scene.reach, 4) for cut, scene in learnt.scenes.items()}
        del learnt
    view = View.of(dataset, 0)
    panel = watch.run("models", lambda: panel_of(view, roster, seed))
    return Fitted(panel, rankers, choices, probability, calibration, metrics, seed, plan.threads)


def _final(
    learnt: Lessons, choice: Choice, new_only: bool, settings: RankerSettings, kind: str
) -> tuple[Ranker, Ranker | None]:
    """The rankers over all views; for the whole list also the binary model that probabilities come from."""
    examples = lessons(list(learnt.scenes.values()), new_only)
    data = binned(examples, settings)
    names, threads = examples.names, settings.threads
    # more to learn from bears a little more rounds
    rounds = {name: int(count * 1.1) for name, count in choice.rounds.items()}
    boosters = []
    for objective in choice.objectives:
        seeds = 2 if objective == "lambdarank" else 1
        for number in range(seeds):
            boosters.append(grow(data, settings, objective, rounds[objective], settings.seed + number))
    if "binary" in choice.objectives:
        binary = Ranker(names, [boosters[-1]], threads)
    elif kind == "all":
        binary = Ranker(names, [grow(data, settings, "binary", rounds["binary"], settings.seed)], threads)
    else:
        binary = None
    return Ranker(names, boosters, threads), binary


def train(
    dataset: Dataset, *, seed: int = 0, budget_minutes: float | None = None, progress: Progress | None = None
) -> TrainedModel:
    """A model version learnt from everything in `dataset`, as plain arrays.

    `budget_minutes` shrinks the number of examples where the default would take longer; `progress` is called with
    the stage and the seconds so far. The same dataset and seed give the same model.
    """
    watch = Stopwatch(progress)
    plan = planned(dataset, budget_minutes)
    fitted = fit(dataset, seed, plan, watch)
    ahead: RankedLists = watch.run("lists", lambda: ranked_ahead(fitted))
    cold: RankedLists = watch.run("cold", lambda: cold_lists(fitted))
    together: ItemNeighbours = watch.run("neighbours", lambda: copurchase(fitted.panel.view))
    seen = ItemNeighbours.empty(len(dataset.product_ids))
    if len(dataset.web):
        seen = watch.run("neighbours", lambda: neighbour_lists(session_similarity(fitted.panel.view, 50)))
    return TrainedModel(
        cut_off=dataset.as_of,
        product_ids=dataset.product_ids,
        customer_ids=dataset.customer_ids,
        store_ids=dataset.store_ids,
        ahead=ahead,
        cold=cold,
        copurchase=together,
        coview=seen,
        parameters={"plan": _plain(plan), "choices": {kind: _plain(choice) for kind, choice in fitted.choices.items()}},
        metrics=fitted.metrics,
        stage_seconds=watch.seconds,
        rows=dataset.rows,
        seed=seed,
    )


def planned(dataset: Dataset, budget_minutes: float | None) -> TrainingPlan:
    """The plan for a budget: about half of the time goes into examples, which cost in proportion to their number."""
    plan = TrainingPlan()
    if budget_minutes is None:
        return plan
    cost = 1.0 + 6.0 * min(1.0, len(dataset.carded) / 80_000) + dataset.rows / 500_000
    share = float(np.clip(budget_minutes / cost, 0.1, 1.0))
    return TrainingPlan(
        views=max(2, round(plan.views * share)), more_views=max(2, round(plan.more_views * share)),
        customers=int(plan.customers * share), judged=int(plan.judged * max(share, 0.3)), rows=int(plan.rows * share),
    )  # fmt: skip


def _sample(customers: Ints, most: int, random: np.random.Generator) -> Ints:
    if len(customers) <= most:
        return customers
    return np.sort(random.choice(customers, most, replace=False)).astype(np.int32)


def _plain(value: Any) -> Any:
    """Dataclasses as JSON-able dicts."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
