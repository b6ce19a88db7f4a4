from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import perf_counter

import numpy as np
import polars as pl
import pytest

from recommender.baskets import Floats, Ints
from recommender.batch import rank
from recommender.calibration import Calibration
from recommender.candidates.roster import Roster
from recommender.columns import EVIDENCE
from recommender.dataset import Dataset
from recommender.examples import assembled, examples_of, fitted_models, panel_of, scene_of
from recommender.learning import fit, longer
from recommender.metrics import expected_calibration_error, judge
from recommender.pace import Pace
from recommender.pilot import KEPT, sources_worth
from recommender.plan import TrainingPlan
from recommender.ranker import Ranker, RankerSettings, SeveralExamples, binned, grow, standardised
from recommender.selection import quality, whole_order
from recommender.trained import TrainedModel
from recommender.training import train
from recommender.views import View
from tests.recommender.purchases import product_master, table_lines, two_tastes, views_of_last_products

SMALL = TrainingPlan().shrunk(0.1)


@pytest.fixture(scope="module")
def lines() -> pl.DataFrame:
    return two_tastes(customers=170, products=60, baskets=5)


@pytest.fixture(scope="module")
def model(lines: pl.DataFrame) -> TrainedModel:
    return train(Dataset.from_frames(lines, products=product_master(60)), seed=1, plan=SMALL)


class Silent:
    """A source without an opinion."""

    name = "silent"

    def fit(self, view: View) -> Silent:
        self._products = view.products
        return self

    def score(self, customers: Ints) -> Floats:
        return np.zeros((len(customers), self._products), np.float32)


def test_standardised_within_each_customer() -> None:
    values = standardised(np.array([1, 3, 5, 5], np.float32), np.array([0, 2, 4]))
    assert values.tolist() == [-1, 1, 0, 0]


def test_a_ranker_learns_what_orders_and_repeats_itself() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(4000, 3)).astype(np.float32)
    bought = matrix[:, 1] > 1.5
    sizes = np.full(100, 40)
    settings = RankerSettings(threads=1)
    examples = SeveralExamples(["a", "b", "c"], [matrix[:1500], matrix[1500:]], bought, sizes)
    boosters = [grow(binned(examples, settings), settings, "lambdarank", 30, seed=3) for _ in range(2)]
    first, second = (booster.predict(matrix, raw_score=True) for booster in boosters)
    assert np.array_equal(first, second)
    score = Ranker(examples.names, boosters[:1], 1).score(matrix, np.arange(0, 4001, 40))
    told = [abs(np.corrcoef(score, column)[0, 1]) for column in matrix.T]
    assert told[1] > 3 * max(told[0], told[2])


def test_negatives_are_thinned_alike_among_owned_and_new(lines: pl.DataFrame) -> None:
    dataset = Dataset.from_frames(lines)
    view = View.of(dataset, 1)
    scene = scene_of(panel_of(view, Roster(dataset), 0), view.eligible(), 1.0, 0, 1)
    thin = scene.thinned(0.3, seed=2)
    assert thin.examples.bought.sum() == scene.examples.bought.sum(), "what was bought stays"
    for owned in (True, False):
        before = (~scene.examples.bought & (scene.owned == owned)).sum()
        after = (~thin.examples.bought & (thin.owned == owned)).sum()
        assert after / before == pytest.approx(0.3, abs=0.05)
    new = examples_of([scene], new_only=True)
    assert len(new) <= (~scene.owned).sum()
    owner = np.repeat(np.arange(len(new.sizes)), new.sizes)
    assert (np.bincount(owner, weights=new.bought) > 0).all(), "who bought nothing teaches no order"
    perfect = quality(scene, scene.examples.bought.astype(np.float32), False, 0)
    assert perfect.mean() == pytest.approx(1.0 if scene.reach == 1 else scene.reach, abs=0.1)


@pytest.mark.parametrize("new_only", [False, True])
def test_the_whole_order_is_judged_as_a_list_without_an_end(lines: pl.DataFrame, new_only: bool) -> None:
    view = View.of(Dataset.from_frames(lines), 1)
    scene = scene_of(panel_of(view, Roster(view.dataset), 0), view.eligible(), 1.0, 0, 1)
    score = np.random.default_rng(5).normal(size=len(scene.product)).astype(np.float32)
    targets = scene.new_targets if new_only else scene.targets
    longest = int(scene.examples.sizes.max())
    hits = np.zeros((len(scene.customers), longest), np.bool_)
    for row, (start, stop) in enumerate(pairwise(scene.indptr)):
        best = start + np.argsort(-score[start:stop])
        listed = best[~scene.owned[best]] if new_only else best
        hits[row, : len(listed)] = scene.examples.bought[listed]
    expected = judge(hits, targets, (longest,)).values[f"ndcg@{longest}"]
    assert whole_order(scene, score, new_only, 0) == pytest.approx(expected)
    assert 0 < expected.mean() < 1


def test_lists_hold_each_customers_taste_best_first(model: TrainedModel) -> None:
    assert set(model.parameters["choices"]) == {"all", "explore"}
    for kind in ("all", "repeat", "explore"):
        lists = rank(model, model.customer_ids[:40], kind, 5)
        tastes = [pl.col(name).str.tail(1).cast(pl.Int32) % 2 for name in ("customer_id", "product_id")]
        right = lists.select(tastes[0] == tastes[1]).to_series()
        assert right.mean() > 0.95
        assert lists.group_by("customer_id").agg(pl.col("product_id").n_unique() == pl.len()).to_series(1).all()
    ahead = model.ahead
    for row in range(len(ahead)):
        assert (np.diff(ahead.score[ahead.row(row)]) <= 1e-6).all()
    assert ((ahead.probability >= 0) & (ahead.probability <= 1)).all()


def test_repeat_and_explore_part_the_list(model: TrainedModel, lines: pl.DataFrame) -> None:
    owned = lines.select("customer_id", "product_id").unique()
    some = model.customer_ids[:30]
    again = rank(model, some, "repeat", 20).join(owned, on=["customer_id", "product_id"], how="anti")
    fresh = rank(model, some, "explore", 20).join(owned, on=["customer_id", "product_id"], how="semi")
    assert again.is_empty()
    assert fresh.filter(pl.col("source") != "popular").is_empty()


def test_what_was_bought_before_is_its_own_evidence(model: TrainedModel) -> None:
    ahead = model.ahead
    old = ~ahead.is_new
    assert (ahead.evidence[old] == ahead.product[old]).all()
    assert (ahead.evidence_kind[old] == EVIDENCE.index("bought_before")).all()
    linked = ahead.evidence_kind == EVIDENCE.index("bought_with")
    assert linked.any()
    assert (ahead.evidence[linked] != ahead.product[linked]).all()
    assert (ahead.evidence[linked] >= 0).all()


def test_the_same_data_and_seed_give_the_same_model(model: TrainedModel, lines: pl.DataFrame) -> None:
    again = train(Dataset.from_frames(lines, products=product_master(60)), seed=1, plan=SMALL)
    assert np.array_equal(again.ahead.product, model.ahead.product)
    assert np.allclose(again.ahead.score, model.ahead.score)
    assert again.metrics == model.metrics


def test_strangers_get_the_cold_list(model: TrainedModel) -> None:
    lists = rank(model, ["nobody", model.customer_ids[0]], "all", 4)
    cold = [model.product_ids[p] for p in model.cold.product[model.cold.row(0)][:4]]
    assert lists.filter(pl.col("customer_id") == "nobody")["product_id"].to_list() == cold
    assert lists["rank"].to_list() == [1, 2, 3, 4] * 2
    assert rank(model, ["nobody"], "repeat", 4).is_empty()
    assert len(model.cold) == 1 + len(model.store_ids)


def test_little_or_other_data_still_train() -> None:
    tiny = train(Dataset.from_frames(table_lines()))
    assert rank(tiny, ["ann"], "all", 3).height == 3
    web = train(Dataset.from_frames(events=views_of_last_products(two_tastes(customers=6))))
    assert rank(web, ["c000"], "all", 3).height == 3
    assert len(web.coview.product)
    events = views_of_last_products(two_tastes(customers=6)).with_columns(customer_id=pl.lit(None, pl.String))
    assert rank(train(Dataset.from_frames(events=events)), ["x"], "all", 3).height == 3
    assert rank(train(Dataset.from_frames()), ["x"], "all", 3).is_empty()
    uncarded = table_lines().with_columns(customer_id=pl.lit(None, pl.String))
    assert rank(train(Dataset.from_frames(uncarded)), ["x"], "all", 1)["product_id"].to_list() == ["bread"]


def test_what_goes_together_names_basket_mates(model: TrainedModel) -> None:
    together = model.copurchase
    for product in range(6):
        mates = together.product[together.row(product)]
        assert product not in mates
        assert (mates % 2 == product % 2).mean() > 0.95
    assert ((together.weight > 0) & (together.weight <= 1)).all()


def test_a_small_budget_learns_from_less() -> None:
    """Measured paces, not the clock, decide: a hundred views' worth of work in 40 s is more than fits."""
    dataset = Dataset.from_frames(two_tastes())
    plan = TrainingPlan(customers=40, rows=10_000, judged=20)
    unlimited = Pace(None, perf_counter(), fitting=1e6, customer=1e6, row_round=1e6)
    assert unlimited.affordable(plan, dataset, 60.0) is plan
    assert unlimited.begun(plan) is plan
    assert unlimited.rounds(plan, dataset, 10_000) is plan
    quick = Pace(40.0, perf_counter(), fitting=0.01, customer=0.001, row_round=1e-8)
    assert quick.affordable(plan, dataset, 60.0) is plan
    assert quick.begun(plan).contexts < plan.contexts
    assert replace(quick, limit=1200.0).begun(plan) == plan
    slow = replace(quick, fitting=2.0, customer=0.1, row_round=1e-6)
    less = slow.affordable(TrainingPlan(), dataset, 60.0)
    assert less.rows < TrainingPlan().rows
    assert less.customers < TrainingPlan().customers
    assert len(less.cuts(dataset)) <= len(TrainingPlan().cuts(dataset))
    assert plan.settled(dataset).seeds == 2, "few customers: two seeds"
    assert replace(plan, few_examples=0).settled(dataset).seeds == 1
    short = replace(quick, row_round=1e-4).rounds(TrainingPlan(), dataset, 10_000)
    assert (short.seeds, short.new_seeds) == (1, 1)
    many = replace(plan, few_examples=0).settled(dataset)
    assert (many.seeds, many.new_seeds) == (1, 2)
    assert quick.rounds(many, dataset, 10_000) == many, "with time for it, new products keep their second booster"
    assert short.ranker.most_rounds < RankerSettings().most_rounds


def test_final_boosters_grow_with_the_customers_up_to_a_point() -> None:
    chosen = {"lambdarank": 120, "binary": 80}
    assert longer(chosen, [300, 300, 300, 300]) == {"lambdarank": 160, "binary": 106}
    assert longer(chosen, [5000, 200]) == {"lambdarank": 240, "binary": 160}, "no further from what was judged"


def test_new_products_are_ordered_by_two_rankers_also_where_customers_are_many(lines: pl.DataFrame) -> None:
    fitted = fit(Dataset.from_frames(lines), 1, replace(SMALL, few_examples=0))
    for kind, more in (("all", 0), ("explore", 1)):
        kinds = fitted.choices[kind].objectives
        assert len(fitted.rankers[kind].boosters) == len(kinds) + more * ("lambdarank" in kinds)


def test_a_source_that_says_nothing_of_its_own_is_left_out(lines: pl.DataFrame) -> None:
    dataset = Dataset.from_frames(lines)
    view = View.of(dataset, 1)
    models = [*fitted_models(view, Roster(dataset)), Silent().fit(view)]
    panel = assembled(view, models, 0)
    scene = scene_of(panel, view.eligible(), 1.0, 0, 1)
    found = sources_worth(scene, panel.pool.names, 30, RankerSettings())
    assert list(found) == panel.pool.names
    assert not found["silent"].kept
    assert found["silent"].alone == 0
    assert all(found[name].kept for name in KEPT & set(found))
    best = max(found, key=lambda name: found[name].gain)
    assert found[best].kept
    shorter = Roster(dataset).without(frozenset({"als"}))
    assert "als" in [model.name for model in Roster(dataset).models()]
    assert "als" not in [model.name for model in shorter.models()]


def test_calibration_follows_the_rate() -> None:
    random = np.random.default_rng(0)
    truth = random.random(20_000)
    score = np.log(truth / (1 - truth)).astype(np.float32) * 2 + 1
    happened = random.random(20_000) < truth
    curve = Calibration.learnt(score[:10_000], happened[:10_000])
    assert expected_calibration_error(curve(score[10_000:]), happened[10_000:]) < 0.02
    assert (np.diff(curve(np.linspace(-8, 8, 50, dtype=np.float32))) >= 0).all()


def test_a_curve_through_too_little_is_the_mean() -> None:
    curve = Calibration.learnt(np.arange(10, dtype=np.float32), np.arange(10) > 8)
    assert curve(np.array([0, 9], np.float32)).tolist() == pytest.approx([0.1, 0.1])
