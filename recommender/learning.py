"""Learning: scenes of past moments, the choice of rankers on the validation view, and everything fitted on today."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from recommender.baskets import Flags, Floats, Ints
from recommender.batch import Fitted
from recommender.calibration import Calibration
from recommender.candidates.base import CandidateModel
from recommender.candidates.roster import Roster
from recommender.dataset import Dataset
from recommender.examples import NEW_PER_MODEL, Scene, assembled, fitted_models, scene_of, table_of
from recommender.metrics import expected_calibration_error
from recommender.pace import Pace
from recommender.pilot import NEGATIVES, ROUNDS, Source, sources_worth
from recommender.plan import TrainingPlan
from recommender.ranker import Ranker, grow
from recommender.selection import Choice, choose
from recommender.stopwatch import Stopwatch
from recommender.validation_report import validation_report
from recommender.views import View

LISTS = ("all", "explore")
LONGEST = 2.0
"""Rounds of the final boosters at most, as a multiple of those that were judged."""


@dataclass
class Lessons:
    """What the rankers learn from: thinned scenes by cut, and the validation scene with all its candidates."""

    scenes: dict[int, Scene]
    judged: Scene
    models: list[str]
    sources: dict[str, Source]


@dataclass
class Run:
    """A training run: what it was asked for, what it has found worth doing, and its clock."""

    plan: TrainingPlan
    roster: Roster
    pace: Pace
    watch: Stopwatch
    seed: int

    def fitted_on(self, dataset: Dataset, cut: int) -> tuple[View, list[CandidateModel]]:
        """The models of the roster fitted on a view."""
        view = View.of(dataset, cut)
        with self.watch.stage("models"):
            begin = perf_counter()
            models = fitted_models(view, self.roster, self.plan.threads)
            self.pace.fitting = perf_counter() - begin
        return view, models


def gather_lessons(dataset: Dataset, run: Run) -> Lessons | None:
    """Scenes of all views; None where there is too little history to learn from one view and validate on another.

    The second view is built first: on some of its customers the pilot finds which sources are worth their cost.
    """
    cuts = run.plan.cuts(dataset)
    if len(cuts) < 2:
        return None
    random = np.random.default_rng(run.seed)
    view, models = run.fitted_on(dataset, cuts[1])
    sources, rows = _pilot(view, models, run, random)
    run.roster = run.roster.without(frozenset(name for name, source in sources.items() if not source.kept))
    run.plan = plan = run.pace.affordable(run.plan.settled(dataset), dataset, rows)
    cuts = plan.cuts(dataset)
    negatives = float(min(1.0, plan.rows / max(rows * plan.examples(dataset), 1.0)))
    scenes: dict[int, Scene] = {}
    judged: Scene | None = None
    for cut in [cuts[1], cuts[0], *cuts[2:]]:
        if cut != view.cut:
            view, models = run.fitted_on(dataset, cut)
        panel = assembled(view, [model for model in models if model.name not in run.roster.left_out], run.seed)
        chosen = sample(view.eligible(), plan.customers, random)
        with run.watch.stage("features"):
            if cut == cuts[0]:
                some = sample(chosen, plan.judged, random)
                judged = scene_of(panel, some, 1.0, run.seed, plan.threads)
                others = scene_of(panel, np.setdiff1d(chosen, some), negatives, run.seed, plan.threads)
                scenes[cut] = judged.thinned(negatives, run.seed).joined(others)
            else:
                scenes[cut] = scene_of(panel, chosen, negatives, run.seed + cut, plan.threads)
    assert judged is not None
    return Lessons({cut: scenes[cut] for cut in cuts}, judged, panel.pool.names, sources)


def _pilot(
    view: View, models: list[CandidateModel], run: Run, random: np.random.Generator
) -> tuple[dict[str, Source], float]:
    """Every source with what it is worth, and the number of candidates per customer."""
    plan, seed = run.plan, run.seed
    some = sample(view.eligible(), plan.pilot, random)
    panel = assembled(view, models, seed)
    with run.watch.stage("pilot"):
        begin = perf_counter()
        scene = scene_of(panel, some, 1.0, seed, plan.threads)
        run.pace.customer = (perf_counter() - begin) / max(len(some), 1)
        begin = perf_counter()
        sources = sources_worth(scene, panel.pool.names, NEW_PER_MODEL, plan.ranker)
        learnt = NEGATIVES * len(scene.product) * 2 * ROUNDS
        run.pace.row_round = (perf_counter() - begin) / max(learnt, 1.0)
    return sources, len(scene.product) / max(len(some), 1)


def fit(
    dataset: Dataset,
    seed: int = 0,
    plan: TrainingPlan | None = None,
    watch: Stopwatch | None = None,
    pace: Pace | None = None,
) -> Fitted:
    """Learn the rankers and fit every model on the whole record, ready to rank any customer."""
    watch = watch or Stopwatch()
    with watch.stage("content"):
        roster = Roster(dataset, seed)
    run = Run(plan or TrainingPlan(), roster, pace or Pace.of(None), watch, seed)
    learnt = gather_lessons(dataset, run)
    plan = run.plan
    rankers: dict[str, Ranker] = {}
    choices: dict[str, Choice] = {}
    probability: Ranker | None = None
    calibration = Calibration(np.zeros(1, np.float32), np.zeros(1, np.float32))
    metrics: dict[str, Any] = {}
    if learnt is not None:
        known = learnt
        rows = sum(len(scene.product) for scene in known.scenes.values())
        run.plan = plan = run.pace.rounds(plan, dataset, rows)
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
        metrics["sources"] = {name: vars(source) for name, source in learnt.sources.items()}
        del learnt, known
    view, models = run.fitted_on(dataset, 0)
    panel = assembled(view, models, seed)
    return Fitted(panel, rankers, choices, probability, calibration, metrics, seed, plan.threads, plan)


def _chosen(learnt: Lessons, kind: str, plan: TrainingPlan) -> tuple[Choice, dict[str, Floats]]:
    """What the validation view says of rankers grown on the earlier views."""
    earlier = [learnt.scenes[cut] for cut in sorted(learnt.scenes)[1:]]
    return choose(earlier, learnt.judged, learnt.models, kind == "explore", plan.ranker)


def _final(learnt: Lessons, choice: Choice, kind: str, plan: TrainingPlan) -> tuple[Ranker, Ranker | None]:
    """The rankers over all views; for the whole list also the binary model that probabilities come from."""
    settings, names, threads = plan.ranker, learnt.judged.examples.names, plan.threads
    data = table_of(list(learnt.scenes.values()), kind == "explore", settings)
    rounds = longer(choice.rounds, [len(learnt.scenes[cut].customers) for cut in sorted(learnt.scenes)])
    boosters = []
    binary: Ranker | None = None
    if "lambdarank" in choice.objectives:
        boosters += [
            grow(data, settings, "lambdarank", rounds["lambdarank"], settings.seed + number)
            for number in range(plan.new_seeds if kind == "explore" else plan.seeds)
        ]
    if "binary" in choice.objectives or kind == "all":
        seeds = plan.seeds if "binary" in choice.objectives else 1
        found = [grow(data, settings, "binary", rounds["binary"], settings.seed + number) for number in range(seeds)]
        binary = Ranker(names, found[:1], threads) if kind == "all" else None
        boosters += found if "binary" in choice.objectives else []
    return Ranker(names, boosters, threads), binary


def longer(rounds: dict[str, int], customers: list[int]) -> dict[str, int]:
    """The rounds that were chosen on all views but the first, in proportion to the customers of all of them.

    More of them bear more rounds, up to a point: where the earlier views hold few customers, the last one would
    multiply the rounds, and the time that they take, far beyond anything that was judged.
    """
    growth = min(sum(customers) / sum(customers[1:]), LONGEST)
    return {name: int(count * growth) for name, count in rounds.items()}


def _held_out_error(score: Floats, bought: Flags) -> float:
    """Calibration error on the second half of the customers of a curve through the first half."""
    half = np.arange(len(score)) < len(score) // 2
    curve = Calibration.learnt(score[half], bought[half])
    return expected_calibration_error(curve(score[~half]), bought[~half])


def sample(customers: Ints, most: int, random: np.random.Generator) -> Ints:
    """At most `most` of the customers, ascending."""
    if len(customers) <= most:
        return customers
    return np.sort(random.choice(customers, most, replace=False)).astype(np.int32)
