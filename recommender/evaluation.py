"""Evaluation of every candidate model, the ranker and plain baselines on what customers bought next."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Ints
from recommender.batch import Fitted, Kind, order_for
from recommender.candidates.base import CandidateModel, dense, rows_of
from recommender.candidates.neighbours import CustomerNeighbours
from recommender.candidates.roster import Roster
from recommender.dataset import Dataset
from recommender.examples import fitted_models
from recommender.learning import fit
from recommender.metrics import METRICS, bootstrap, hits_of, judge
from recommender.pace import Pace
from recommender.stopwatch import Progress, Stopwatch
from recommender.truth import Truth, truth_of
from recommender.views import View

KINDS: tuple[Kind, ...] = ("all", "repeat", "explore")
KS = (5, 10, 20)
BLOCK_CELLS = 3_000_000

Values = dict[str, dict[str, NDArray[np.float64]]]
"""Metric values per customer: kind → metric@k → values."""


class TopFrequency:
    """Baseline: what the customer bought most often, then what everybody buys."""

    name = "top_frequency"

    def fit(self, view: View) -> "TopFrequency":
        """Count."""
        self._owned = view.owned
        self._popular = view.popularity / (view.popularity.max(initial=0.0) + 1.0)
        return self

    def score(self, customers: Ints) -> NDArray[np.float32]:
        """Baskets with the product, ties and the rest by popularity."""
        return np.asarray(dense(rows_of(self._owned, customers)) + self._popular, np.float32)


def top_lists(
    scores: NDArray[np.float32], owned: NDArray[np.bool_], chance: NDArray[np.float64], k: int
) -> dict[Kind, Ints]:
    """Best k products of every row for each kind of list, -1 where no product has a score; ties by chance."""
    told = scores.astype(np.float64) * (1 + 1e-9 * chance)
    lists: dict[Kind, Ints] = {}
    for kind in KINDS:
        allowed = told > 0
        if kind != "all":
            allowed &= owned if kind == "repeat" else ~owned
        masked = np.where(allowed, told, -1.0 - chance)
        k_here = min(k, masked.shape[1])
        near = np.argpartition(-masked, k_here - 1, axis=1)[:, :k_here]
        values = np.take_along_axis(masked, near, axis=1)
        order = np.argsort(-values, axis=1)
        best = np.take_along_axis(near, order, axis=1).astype(np.int32)
        lists[kind] = np.where(np.take_along_axis(values, order, axis=1) > 0, best, -1).astype(np.int32)
    return lists


def evaluate_fitted(fitted: Fitted, truth: Truth, ks: tuple[int, ...] = KS, seed: int = 0) -> dict[str, Any]:
    """Metrics of every model on the truth; see `evaluate`."""
    view = fitted.panel.view
    pool = fitted.panel.pool
    # sources that the training run left out are judged too: the ranker has to beat them as well
    left_out = Roster(view.dataset, fitted.seed).without(frozenset(pool.names))
    models: list[CandidateModel] = [
        TopFrequency().fit(view), tuned_tifuknn(view), *pool.models, *fitted_models(view, left_out, fitted.threads),
    ]  # fmt: skip
    lists: dict[str, dict[Kind, list[Ints]]] = {
        name: {kind: [] for kind in KINDS} for name in ("ranker", *(model.name for model in models))
    }
    chance = np.random.default_rng(seed).random(view.products)
    known = truth.customers[truth.customers >= 0]
    size = int(np.clip(BLOCK_CELLS // max(view.products, 1), 16, 512))
    for start in range(0, len(known), size):
        part = known[start : start + size]
        owned = dense(rows_of(view.owned, part)) > 0
        for model in models:
            for kind, found in top_lists(model.score(part), owned, chance, max(ks)).items():
                lists[model.name][kind].append(found)
    random = np.random.default_rng(seed)
    for candidates, names, matrix in fitted.panel.blocks(known, fitted.threads):
        for kind in KINDS:
            lists["ranker"][kind].append(order_for(fitted, candidates, names, matrix, kind, max(ks), random))
    values = {name: _judged(by_kind, truth, view.products, ks) for name, by_kind in lists.items()}
    return report(values, truth, ks, seed)


def _judged(by_kind: dict[Kind, list[Ints]], truth: Truth, products: int, ks: tuple[int, ...]) -> Values:
    found: Values = {}
    inside = np.flatnonzero(truth.customers >= 0)
    for kind, parts in by_kind.items():
        table = np.full((len(truth.customers), max(ks)), -1, np.int32)
        if parts:
            joined = np.concatenate(parts)
            table[inside, : joined.shape[1]] = joined
        keys, sizes = truth.of(kind)
        hits = hits_of(table, np.arange(len(table), dtype=np.int32), keys, products)
        found[kind] = judge(hits, sizes, ks).values
    return found


def report(values: dict[str, Values], truth: Truth, ks: tuple[int, ...], seed: int) -> dict[str, Any]:
    """Means with 95 % bootstrap intervals, and the ranker's lead over each model with its paired interval."""
    out: dict[str, Any] = {"k": list(ks), "customers": {}, "models": {}, "ranker_lead": {}, "ranker_lead_over_best": {}}
    names = [f"{metric}@{k}" for metric in METRICS for k in ks]
    for kind in KINDS:
        out["customers"][kind] = int((truth.of(kind)[1] > 0).sum())
    for model, by_kind in values.items():
        out["models"][model] = {kind: {name: interval(by_kind[kind][name], seed) for name in names} for kind in KINDS}
        if model != "ranker":
            out["ranker_lead"][model] = {
                kind: {
                    name: interval(values["ranker"][kind][name] - by_kind[kind][name], seed)
                    for name in names
                    if name.startswith(("recall", "ndcg"))
                }
                for kind in KINDS
            }
    for kind in KINDS:
        best = {name: _best_other(out["models"], kind, name) for name in names if name.startswith(("recall", "ndcg"))}
        out["ranker_lead_over_best"][kind] = {
            name: {"model": model} | out["ranker_lead"][model][kind][name] for name, model in best.items()
        }
    return out


def _best_other(models: dict[str, Any], kind: str, metric: str) -> str:
    """The name of the best model that is not the ranker."""
    others = [name for name in models if name != "ranker"]
    return max(others, key=lambda name: float(models[name][kind][metric]["value"]))


def interval(values: NDArray[np.float64], seed: int) -> dict[str, float]:
    """Mean and 95 % bootstrap interval."""
    low, high = bootstrap(values, seed, samples=400)
    mean = float(values.mean()) if len(values) else 0.0
    return {"value": round(mean, 5), "low": round(low, 5), "high": round(high, 5)}


def tuned_tifuknn(view: View) -> CandidateModel:
    """TIFUKNN with the settings that were best on public grocery data (one group, decay .9, 300 neighbours, α .3)."""
    return CustomerNeighbours(decay=0.9, neighbours=300, alpha=0.3, name="tifuknn").fit(view)


def evaluate(
    dataset: Dataset,
    truth: Truth,
    *,
    seed: int = 0,
    budget_minutes: float | None = None,
    ks: tuple[int, ...] = KS,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train on `dataset` and judge every candidate model, the ranker, TIFUKNN and top frequency on `truth`.

    Temporal evaluation: a dataset as of a moment and `truth.next_baskets` after it. Returns a JSON-able dict:
    `models[name][all|repeat|explore][metric@k]` = {value, low, high}, `ranker_lead[name]` the same for paired
    differences, `ranker_lead_over_best[kind][metric@k]` that over the best other model with its name, `customers`
    judged per kind, `training` with choices and seconds by stage.
    """
    watch = Stopwatch(progress)
    fitted = fit(dataset, seed, None, watch, Pace.of(budget_minutes))
    with watch.stage("judging"):
        found = evaluate_fitted(fitted, truth, ks, seed)
    found["training"] = {"seconds": watch.seconds, "metrics": fitted.metrics}
    found["as_of"] = dataset.as_of.isoformat()
    return found


def leave_last_basket(dataset: Dataset) -> tuple[Dataset, Truth]:
    """The record without every customer's last basket, and those baskets; single baskets stay in the record.

    Each customer is asked about at the time of that basket.
    """
    view = View.of(dataset, 1)
    rest = replace(dataset, carded=view.history, web=view.web, moments=view.moments)
    line_customer = view.target.customer[view.target.line_basket]
    return rest, truth_of(rest, view.target.customer, line_customer, view.target.product)
