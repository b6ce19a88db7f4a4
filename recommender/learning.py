"""Learning: scenes of past moments, the choice of rankers on the validation view, and everything fitted on today."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.baskets import Flags, Floats, Ints
from recommender.batch import Fitted
from recommender.calibration import Calibration
from recommender.candidates.roster import Roster
from recommender.dataset import Dataset
from recommender.examples import Scene, lessons, panel_of, scene_of
from recommender.metrics import expected_calibration_error
from recommender.plan import TrainingPlan
from recommender.ranker import Ranker, binned, grow
from recommender.selection import Choice, choose
from recommender.stopwatch import Stopwatch
from recommender.validation_report import validation_report
from recommender.views import View

LISTS = ("all", "explore")


@dataclass
class Lessons:
    """What the rankers learn from: thinned scenes by cut, and the validation scene with all its candidates."""

    scenes: dict[int, Scene]
    judged: Scene
    models: list[str]


def gather_lessons(dataset: Dataset, roster: Roster, plan: TrainingPlan, seed: int, watch: Stopwatch) -> Lessons | None:
    """Scenes of all views; None where there is too little history to learn from one view and validate on another."""
    cuts = plan.cuts(dataset)
    if len(cuts) < 2:
        return None
    random = np.random.default_rng(seed)
    scenes: dict[int, Scene] = {}
    judged: Scene | None = None
    models: list[str] = []
    negatives = 1.0
    for cut in cuts:
        view = View.of(dataset, cut)
        with watch.stage("models"):
            panel = panel_of(view, roster, seed, plan.threads)
        models = panel.pool.names
        chosen = sample(view.eligible(), plan.customers, random)
        with watch.stage("features"):
            if judged is None:
                some = sample(chosen, plan.judged, random)
                judged = scene_of(panel, some, 1.0, seed, plan.threads)
                expected = len(judged.product) / max(len(some), 1) * _examples(dataset, plan, cuts)
                negatives = float(min(1.0, plan.rows / max(expected, 1.0)))
                others = scene_of(panel, np.setdiff1d(chosen, some), negatives, seed, plan.threads)
                scenes[cut] = judged.thinned(negatives, seed).joined(others)
            else:
                scenes[cut] = scene_of(panel, chosen, negatives, seed + cut, plan.threads)
    assert judged is not None
    return Lessons(scenes, judged, models)


def fit(dataset: Dataset, seed: int = 0, plan: TrainingPlan | None = None, watch: Stopwatch | None = None) -> Fitted:
    """Learn the rankers and fit every model on the whole record, ready to rank any customer."""
    plan, watch = plan or TrainingPlan(), watch or Stopwatch()
    with watch.stage("content"):
        roster = Roster(dataset, seed)
    learnt = gather_lessons(dataset, roster, plan, seed, watch)
    rankers: dict[str, Ranker] = {}
    choices: dict[str, Choice] = {}
    probability: Ranker | None = None
    calibration = Calibration(np.zeros(1, np.float32), np.zeros(1, np.float32))
    metrics: dict[str, Any] = {}
    if learnt is not None:
        known = learnt
        with ThreadPoolExecutor(plan.threads) as workers:
            with watch.stage("validation"):
                chosen = list(workers.map(lambda kind: _chosen(known, kind, plan), LISTS))
            with watch.stage("ranker"):
                grown = list(workers.map(lambda kind, found: _final(known, found[0], kind, plan), LISTS, chosen))
        for kind, (choice, raw), (ranker, binary) in zip(LISTS, chosen, grown, strict=True):
            choices[kind], rankers[kind] = choice, ranker
            metrics[f"validation_{kind}"] = round(choice.value, 5)
            metrics[f"validation_{kind}_best_single"] = round(choice.single_value, 5)
            if binary is not None:
                probability = binary
                bought = learnt.judged.examples.bought
                calibration = Calibration.learnt(raw["binary"], bought)
                metrics["calibration_error"] = round(_held_out_error(raw["binary"], bought), 5)
        metrics["reach"] = {str(cut): round(scene.reach, 4) for cut, scene in learnt.scenes.items()}
        with watch.stage("report"):
            metrics |= validation_report(
                dataset, min(learnt.scenes), learnt.judged, dict(zip(LISTS, chosen, strict=True)), seed
            )
        metrics["examples"] = sum(len(scene.customers) for scene in learnt.scenes.values())
        del learnt, known
    with watch.stage("models"):
        panel = panel_of(View.of(dataset, 0), roster, seed, plan.threads)
    return Fitted(panel, rankers, choices, probability, calibration, metrics, seed, plan.threads)


def _chosen(learnt: Lessons, kind: str, plan: TrainingPlan) -> tuple[Choice, dict[str, Floats]]:
    """What the validation view says of rankers grown on the earlier views."""
    earlier = [learnt.scenes[cut] for cut in sorted(learnt.scenes)[1:]]
    return choose(earlier, learnt.judged, learnt.models, kind == "explore", plan.ranker)


def _final(learnt: Lessons, choice: Choice, kind: str, plan: TrainingPlan) -> tuple[Ranker, Ranker | None]:
    """The rankers over all views; for the whole list also the binary model that probabilities come from."""
    examples = lessons(list(learnt.scenes.values()), kind == "explore")
    settings, names, threads = plan.ranker, examples.names, plan.threads
    data = binned(examples, settings)
    del examples  # LightGBM keeps a table of its own
    # one view more to learn from bears a few rounds more
    rounds = {name: int(count * 1.1) for name, count in choice.rounds.items()}
    boosters = []
    binary: Ranker | None = None
    if "lambdarank" in choice.objectives:
        boosters += [
            grow(data, settings, "lambdarank", rounds["lambdarank"], settings.seed + number)
            for number in range(plan.seeds)
        ]
    if "binary" in choice.objectives or kind == "all":
        seeds = plan.seeds if "binary" in choice.objectives else 1
        found = [grow(data, settings, "binary", rounds["binary"], settings.seed + number) for number in range(seeds)]
        binary = Ranker(names, found[:1], threads) if kind == "all" else None
        boosters += found if "binary" in choice.objectives else []
    return Ranker(names, boosters, threads), binary


def _held_out_error(score: Floats, bought: Flags) -> float:
    """Calibration error on the second half of the customers of a curve through the first half."""
    half = np.arange(len(score)) < len(score) // 2
    curve = Calibration.learnt(score[half], bought[half])
    return expected_calibration_error(curve(score[~half]), bought[~half])


def _examples(dataset: Dataset, plan: TrainingPlan, cuts: list[int]) -> int:
    counts = dataset.basket_counts
    return sum(min(int((counts > cut).sum()), plan.customers) for cut in cuts)


def sample(customers: Ints, most: int, random: np.random.Generator) -> Ints:
    """At most `most` of the customers, ascending."""
    if len(customers) <= most:
        return customers
    return np.sort(random.choice(customers, most, replace=False)).astype(np.int32)
