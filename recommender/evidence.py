"""Why a candidate stands in a list: the model that carried it, and the customer's own product behind it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.baskets import Flags, Floats, Ints
from recommender.candidates.base import dense, rows_of
from recommender.candidates.content import Content
from recommender.candidates.items import BasketCosine, Cosine
from recommender.candidates.pool import Candidates
from recommender.candidates.web import WebInterest
from recommender.columns import EVIDENCE, SOURCES
from recommender.views import View

if TYPE_CHECKING:
    from recommender.features.matrix import Panel
    from recommender.ranker import Ranker

FAINT = 0.03
"""A similarity below this is no reason one would tell a customer."""


def strongest_links(history: sparse.csr_array, similar: sparse.csr_array) -> tuple[Floats, Ints]:
    """For each row of `history` and each product: the largest similarity to one of the row's products, and which.

    Dense rows × products; similarity 0 and product -1 where there is none.
    """
    rows, products = history.shape[0], similar.shape[1]
    owner = np.repeat(np.arange(rows, dtype=np.int64), np.diff(history.indptr))
    links = rows_of(similar, history.indices)
    reach = np.diff(links.indptr)
    cell = np.repeat(owner, reach) * products + links.indices
    best = np.zeros(rows * products, np.float32)
    np.maximum.at(best, cell, links.data)
    through = np.full(rows * products, -1, np.int32)
    winner = links.data >= best[cell]
    through[cell[winner]] = np.repeat(history.indices, reach)[winner]
    return best.reshape(rows, products), through.reshape(rows, products)


@dataclass(frozen=True)
class Evidence:
    """One entry per candidate: indices in SOURCES and EVIDENCE, product index or -1, count or similarity."""

    source: NDArray[np.uint8]
    product: Ints
    kind: NDArray[np.uint8]
    value: Floats


class Witness:
    """Finds sources and evidence for candidates of a fitted panel."""

    def __init__(self, panel: "Panel", ranker: "Ranker | None") -> None:
        self._view: View = panel.view
        self._names = panel.pool.names
        self._weights = model_weights(ranker, self._names)
        # basket companionship is what a clerk can say; customers' histories and names come after it
        self._links = [
            (kind, model)
            for wanted, kind in ((BasketCosine, "bought_with"), (Cosine, "bought_with"), (Content, "similar_name"))
            for model in panel.pool.models
            if isinstance(model, wanted)
        ]
        self._web = next((model for model in panel.pool.models if isinstance(model, WebInterest)), None)

    def explain(self, candidates: Candidates) -> Evidence:
        """Sources and evidence of every candidate."""
        count = len(candidates)
        source = self._sources(candidates)
        product = np.full(count, -1, np.int32)
        kind = np.full(count, EVIDENCE.index("popular"), np.uint8)
        value = np.asarray(self._view.popularity[candidates.product], np.float32)
        personal = np.isin(self._names, ("popular", "trend", "store"), invert=True)
        followed = (candidates.scores[personal] > 0).any(axis=0) if personal.any() else np.zeros(count, np.bool_)
        kind[followed] = EVIDENCE.index("neighbours")
        history = rows_of(self._view.owned, candidates.customers)
        told: Flags = np.zeros(count, np.bool_)
        if self._web is not None:
            looked = dense(rows_of(self._web.looked_at, candidates.customers))[candidates.row, candidates.product]
            told = looked > 0
            kind[told], product[told], value[told] = EVIDENCE.index("viewed"), candidates.product[told], looked[told]
        for name, model in self._links:
            similar = model.likeness if isinstance(model, Content) else model.similar
            if similar is None:
                continue
            best, through = strongest_links(history, similar)
            strength = best[candidates.row, candidates.product]
            tell = (strength > FAINT) & ~told & ~candidates.owned
            kind[tell], value[tell] = EVIDENCE.index(name), strength[tell]
            product[tell] = through[candidates.row, candidates.product][tell]
            told |= tell
        owned = candidates.owned
        counts = dense(history)[candidates.row, candidates.product]
        kind[owned], product[owned], value[owned] = (
            EVIDENCE.index("bought_before"), candidates.product[owned], counts[owned],
        )  # fmt: skip
        return Evidence(source, product, kind, value)

    def _sources(self, candidates: Candidates) -> NDArray[np.uint8]:
        relative = candidates.scores / np.maximum(candidates.best, 1e-12)[:, candidates.row]
        carried = (relative * self._weights[:, None]).argmax(axis=0)
        codes = np.array([SOURCES.index(name.split("/")[0]) for name in self._names], np.uint8)
        sources: NDArray[np.uint8] = codes[carried]
        return sources


def model_weights(ranker: "Ranker | None", names: list[str]) -> Floats:
    """How much the ranker gains from each model's columns; what it gains from the pair's own history is `repeat`'s."""
    if ranker is None or not ranker.boosters:
        return np.ones(len(names), np.float32)
    gain = np.zeros(len(ranker.names))
    for booster in ranker.boosters:
        found = booster.feature_importance("gain")
        gain += found / max(found.sum(), 1e-9)
    weights = np.full(len(names), 1e-6, np.float32)
    for column, share in zip(ranker.names, gain, strict=True):
        prefix, _, model = column.partition("_")
        if prefix in ("pair", "hazard"):
            model = "repeat"
        elif prefix == "look":
            model = "web"
        if model in names:
            weights[names.index(model)] += share
    return weights
