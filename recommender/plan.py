"""How much a training run learns from, decided from the data alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from recommender.dataset import Dataset
from recommender.ranker import RankerSettings

FEWEST_GROUPS = 150
"""Customers with a target below which a view teaches nothing that holds."""


@dataclass(frozen=True)
class TrainingPlan:
    """The defaults are the same for every retailer.

    `views` most views learnt from, or `more_views` as long as there are fewer than `few_examples` customers in them;
    `customers` examples per view; `pilot` of them decide which sources are worth their cost; `judged` customers of the
    validation view whose candidates are all kept; `rows` bounds the rows in memory, by the share of negatives kept;
    `seeds` rankers grown with different seeds where customers are few, and `new_seeds` for the order of new products,
    of which few are bought, so that one booster owes more to chance; `contexts` of sessions the next look is learnt
    from.
    """

    views: int = 4
    more_views: int = 7
    few_examples: int = 5_000
    customers: int = 14_000
    pilot: int = 1_000
    judged: int = 2_000
    rows: int = 800_000
    seeds: int = 2
    new_seeds: int = 2
    contexts: int = 16_000
    threads: int = 2
    ranker: RankerSettings = field(default_factory=RankerSettings)

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> "TrainingPlan":
        """The plan that a manifest names under `parameters`, to repeat its run without the budget it was under."""
        return cls(**{**written, "ranker": RankerSettings(**written["ranker"])})

    def cuts(self, dataset: Dataset) -> list[int]:
        """The cuts to learn from: more of them where customers are few, fewer where histories are short."""
        counts = dataset.basket_counts
        cuts: list[int] = []
        learnt = 0
        for cut in range(1, self.more_views + 1):
            eligible = min(int((counts > cut).sum()), self.customers)
            if eligible < FEWEST_GROUPS or (cut > self.views and learnt >= self.few_examples):
                break
            cuts.append(cut)
            learnt += eligible
        return cuts

    def examples(self, dataset: Dataset) -> int:
        """Customers learnt from, over all views."""
        counts = dataset.basket_counts
        return sum(min(int((counts > cut).sum()), self.customers) for cut in self.cuts(dataset))

    def settled(self, dataset: Dataset) -> "TrainingPlan":
        """One seed where customers are many, save for new products: more customers say more than a second."""
        return self if self.examples(dataset) < self.few_examples else replace(self, seeds=1)

    def shrunk(self, share: float) -> "TrainingPlan":
        """About `share` of the work, taken from everything that grows with the number of examples.

        The pilot stays as it is: it is over by the time a run knows what it can afford.
        """
        if share >= 1:
            return self
        return replace(
            self,
            views=max(2, round(self.views * share**0.5)),
            more_views=max(2, round(self.more_views * share**0.5)),
            customers=max(FEWEST_GROUPS, int(self.customers * share)),
            judged=max(FEWEST_GROUPS, int(self.judged * max(share, 0.3))),
            rows=int(self.rows * share),
            ranker=self.ranker.shorter(share**0.5),
        )
