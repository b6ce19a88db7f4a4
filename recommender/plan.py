"""How much a training run learns from, decided from the data alone."""

from dataclasses import dataclass, field, replace

import numpy as np

from recommender.dataset import Dataset
from recommender.ranker import RankerSettings

FEWEST_GROUPS = 150
"""Customers with a target below which a view teaches nothing that holds."""


@dataclass(frozen=True)
class TrainingPlan:
    """The defaults are the same for every retailer.

    `views` most views learnt from, or `more_views` as long as there are fewer than `few_examples` customers in them;
    `customers` examples per view; `judged` customers of the validation view whose candidates are all kept; `rows`
    bounds the rows in memory, by the share of negatives kept; `seeds` rankers grown with different seeds.
    """

    views: int = 4
    more_views: int = 7
    few_examples: int = 5_000
    customers: int = 10_000
    judged: int = 2_000
    rows: int = 1_100_000
    seeds: int = 2
    threads: int = 2
    ranker: RankerSettings = field(default_factory=RankerSettings)

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


def planned(dataset: Dataset, budget_minutes: float | None) -> TrainingPlan:
    """The plan for a budget; None learns from as much as the defaults say.

    What does not depend on the number of examples, fitting the models on each view, is taken as fixed.
    """
    plan = TrainingPlan()
    if budget_minutes is None:
        return plan
    views = len(plan.cuts(dataset)) + 1
    fixed = views * (0.2 + dataset.rows / 2_000_000)
    share = float(np.clip((budget_minutes - fixed) / 4.0, 0.1, 1.0))
    return replace(
        plan,
        views=max(2, round(plan.views * share)),
        more_views=max(2, round(plan.more_views * share)),
        customers=int(plan.customers * share),
        judged=int(plan.judged * max(share, 0.3)),
        rows=int(plan.rows * share),
        ranker=replace(plan.ranker, most_rounds=max(60, int(plan.ranker.most_rounds * share))),
    )
