"""Examples for the rankers: candidates of past moments, their features, and whether they were bought next."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import lightgbm as lgb
import numpy as np
from threadpoolctl import threadpool_limits

from recommender.baskets import Flags, Floats, Ints, Longs
from recommender.candidates.base import CandidateModel
from recommender.candidates.pool import CandidatePool, Candidates
from recommender.candidates.roster import Roster
from recommender.features.base import FeatureGroup
from recommender.features.categories import GroupHabits
from recommender.features.customers import CustomerFacts
from recommender.features.hazard import Hazards
from recommender.features.links import Links
from recommender.features.looks import Looks
from recommender.features.matrix import Panel
from recommender.features.pairs import PairHistory
from recommender.features.precedents import Precedents
from recommender.features.products import ProductFacts
from recommender.ranker import Examples, RankerSettings, SeveralExamples, binned
from recommender.views import View

NEW_PER_MODEL = 30
MOST_OWNED = 300
_ONE_TABLE = Lock()


@dataclass(frozen=True)
class Scene:
    """Candidates of some customers of one view, with features and what they bought.

    One entry per candidate, grouped by customer; `sizes` and `targets` (products bought next, reached or not; and
    those of them that were new) have one per customer.
    """

    examples: Examples
    customers: Ints
    product: Ints
    owned: Flags
    targets: Longs
    new_targets: Longs

    @property
    def indptr(self) -> Longs:
        """Where each customer's candidates begin and end."""
        return np.concatenate([[0], np.cumsum(self.examples.sizes)]).astype(np.int64)

    def thinned(self, negatives: float, seed: int) -> "Scene":
        """The same customers with a share of `negatives` of what they did not buy."""
        bought = self.examples.bought
        keep = bought | (np.random.default_rng(seed).random(len(bought)) < negatives)
        owner = np.repeat(np.arange(len(self.customers)), self.examples.sizes)
        sizes = np.bincount(owner[keep], minlength=len(self.customers)).astype(np.int64)
        examples = Examples(self.examples.names, self.examples.matrix[keep], bought[keep], sizes)
        return Scene(examples, self.customers, self.product[keep], self.owned[keep], self.targets, self.new_targets)

    def joined(self, other: "Scene") -> "Scene":
        """Two scenes of different customers as one."""
        if not len(other.customers):
            return self
        mine, theirs = self.examples, other.examples
        return Scene(
            Examples(
                mine.names,
                np.concatenate([mine.matrix, theirs.matrix]),
                np.concatenate([mine.bought, theirs.bought]),
                np.concatenate([mine.sizes, theirs.sizes]),
            ),
            np.concatenate([self.customers, other.customers]),
            np.concatenate([self.product, other.product]),
            np.concatenate([self.owned, other.owned]),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([self.new_targets, other.new_targets]),
        )

    @property
    def reach(self) -> float:
        """Share of what was bought that the candidates hold."""
        return float(self.examples.bought.sum() / max(self.targets.sum(), 1))


def panel_of(view: View, roster: Roster, seed: int, threads: int = 1) -> Panel:
    """Every model and feature group fitted on the view, `threads` models side by side."""
    return assembled(view, fitted_models(view, roster, threads), seed)


def fitted_models(view: View, roster: Roster, threads: int = 1) -> list[CandidateModel]:
    """The roster's models fitted on the view, `threads` of them side by side."""
    view.prepare()
    with ThreadPoolExecutor(threads) as workers, threadpool_limits(1, "blas"):
        return list(workers.map(lambda model: model.fit(view), roster.models()))


def assembled(view: View, models: list[CandidateModel], seed: int) -> Panel:
    """A panel of models that are fitted on the view already."""
    pool = CandidatePool(models, view, NEW_PER_MODEL, MOST_OWNED, seed)
    groups: list[FeatureGroup] = [
        PairHistory(),
        Hazards(),
        ProductFacts(),
        CustomerFacts(),
        GroupHabits(view.dataset),
        Links(models),
        Looks(view.dataset),
        Precedents(models),
    ]
    return Panel(view, pool, groups)


def scene_of(panel: Panel, customers: Ints, negatives: float, seed: int, threads: int) -> Scene:
    """The candidates of these customers, with a share of `negatives` of those not bought.

    The share is the same for owned and for new products, lest the ranker learn a wrong balance between them.
    """
    view = panel.view
    line_customer = view.target.customer[view.target.line_basket]
    truth = np.sort(line_customer.astype(np.int64) * view.products + view.target.product)
    fresh = np.setdiff1d(truth, owned_keys(view), assume_unique=True)
    names: list[str] = []
    matrices: list[Floats] = []
    bought: list[Flags] = []
    sizes: list[Longs] = []
    products: list[Ints] = []
    owned: list[Flags] = []

    def hits(candidates: Candidates) -> Flags:
        return np.isin(candidates.customer.astype(np.int64) * view.products + candidates.product, truth)

    def kept(candidates: Candidates) -> Flags:
        # blocks are made side by side: each draws by a seed of its own
        random = np.random.default_rng((seed, int(candidates.customers[0])))
        return hits(candidates) | (random.random(len(candidates)) < negatives)

    for candidates, columns, matrix in panel.blocks(customers, threads, kept if negatives < 1 else None):
        names = columns
        matrices.append(matrix)
        bought.append(hits(candidates))
        sizes.append(np.diff(candidates.indptr))
        products.append(candidates.product)
        owned.append(candidates.owned)
    return Scene(
        examples=Examples(names, _joined(matrices), _joined(bought), _joined(sizes).astype(np.int64)),
        customers=customers,
        product=_joined(products),
        owned=_joined(owned),
        targets=np.bincount(truth // view.products, minlength=view.customers)[customers],
        new_targets=np.bincount(fresh // view.products, minlength=view.customers)[customers],
    )


def owned_keys(view: View) -> Longs:
    """Sorted customer * products + product of everything bought within the view."""
    owned = view.owned
    rows = np.repeat(np.arange(owned.shape[0], dtype=np.int64), np.diff(owned.indptr))
    return np.sort(rows * view.products + owned.indices)


def table_of(scenes: list[Scene], new_only: bool, settings: RankerSettings) -> lgb.Dataset:
    """LightGBM's own table of several scenes; made one at a time, since each takes a copy of the matrices meanwhile."""
    with _ONE_TABLE:
        return binned(examples_of(scenes, new_only), settings)


def examples_of(scenes: list[Scene], new_only: bool) -> SeveralExamples:
    """Examples of several scenes; customers without a purchase among theirs teach an order nothing and are left out."""
    matrices, bought, sizes = [], [], []
    for scene in scenes:
        data = scene.examples
        owner = np.repeat(np.arange(len(data.sizes)), data.sizes)
        keep = ~scene.owned if new_only else np.ones(len(data), np.bool_)
        hits = np.bincount(owner, weights=data.bought & keep, minlength=len(data.sizes))
        keep &= hits[owner] > 0
        matrices.append(data.matrix[keep])
        bought.append(data.bought[keep])
        counts = np.bincount(owner[keep], minlength=len(data.sizes))
        sizes.append(counts[counts > 0])
    return SeveralExamples(scenes[0].examples.names, matrices, _joined(bought), _joined(sizes).astype(np.int64))


def _joined(parts: list) -> np.ndarray:  # type: ignore[type-arg]
    return np.concatenate(parts) if parts else np.zeros(0)
