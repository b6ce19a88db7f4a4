"""Which candidate models a retailer's data can carry."""

from dataclasses import dataclass, replace

from scipy import sparse

from recommender.candidates.base import CandidateModel
from recommender.candidates.content import Content, has_content, product_likeness
from recommender.candidates.factors import Als, Hybrid
from recommender.candidates.items import BasketCosine, Bm25, Cosine, RandomWalk
from recommender.candidates.linear import Ease, NextBasket
from recommender.candidates.neighbours import CustomerNeighbours, TasteNeighbours
from recommender.candidates.popular import Popular, StorePopular, Trending
from recommender.candidates.repeat import PersonalFrequency
from recommender.candidates.states import StateNeighbours
from recommender.candidates.web import WebInterest
from recommender.dataset import Dataset

LIKE_PRODUCTS = 50


@dataclass
class Roster:
    """Makes fresh, unfitted models; what depends on master data alone is computed once."""

    dataset: Dataset
    seed: int = 0
    likeness: sparse.csr_array | None = None
    left_out: frozenset[str] = frozenset()
    """Names of models that were found not to be worth their cost."""

    def __post_init__(self) -> None:
        if self.likeness is None and has_content(self.dataset.products):
            self.likeness = product_likeness(self.dataset.products, LIKE_PRODUCTS)

    def models(self) -> list[CandidateModel]:
        """Every model that the data can carry and that is not left out, always in the same order."""
        return [model for model in self._all() if model.name not in self.left_out]

    def without(self, names: frozenset[str]) -> "Roster":
        """The same roster less some models."""
        return replace(self, left_out=self.left_out | names)

    def _all(self) -> list[CandidateModel]:
        dataset, seed = self.dataset, self.seed
        models: list[CandidateModel] = [Popular()]
        if len(dataset.carded):
            models += [
                PersonalFrequency(),
                Trending(),
                CustomerNeighbours(),
                TasteNeighbours(),
                StateNeighbours(0.85, 200, seed=seed),
                StateNeighbours(0.6, 40, seed=seed, name="states/.6"),
                StateNeighbours(0.95, 800, seed=seed, name="states/.95"),
                StateNeighbours(0.0, 200, seed=seed, name="states/last"),
                Cosine(),
                Bm25(),
                BasketCosine(),
                RandomWalk(),
                Ease(),
                NextBasket(seed=seed),
                Als(seed=seed),
                Hybrid(seed=seed),
            ]
            if self.likeness is not None:
                models.append(Content(likeness=self.likeness))
        if len(dataset.web):
            models.append(WebInterest())
        if len(dataset.store_ids) > 1:
            models.append(StorePopular())
        return models
