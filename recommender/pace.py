"""The pace of a training run: what its stages cost here and now, and the largest plan that the budget still allows."""

from dataclasses import dataclass, replace
from time import perf_counter

from recommender.dataset import Dataset
from recommender.plan import FEWEST_GROUPS, TrainingPlan

SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05)
"""Plans shrink by steps, so that a machine somewhat slower or faster learns from the same examples."""
AMPLE = 600.0
"""Seconds in which everything is learnt from 1 million lines; shorter runs are given their share of it."""
MARGIN = 0.85
"""Share of the time left that is planned for: stages are seldom faster than the first of their kind."""
LISTS_COST = 1.4
"""Ranking a customer's candidates and finding their reasons, relative to making them with their features."""


@dataclass
class Pace:
    """Seconds by piece of work, as measured so far; `limit` seconds from the start, None for as long as it takes."""

    limit: float | None
    start: float
    fitting: float = 0.0
    """Fitting every model on one view."""
    customer: float = 0.0
    """Candidates and features of one customer."""
    row_round: float = 0.0
    """One row in one round of a booster."""

    @classmethod
    def of(cls, budget_minutes: float | None) -> "Pace":
        """The clock starts now."""
        return cls(None if budget_minutes is None else budget_minutes * 60, perf_counter())

    def begun(self, plan: TrainingPlan) -> TrainingPlan:
        """What can be said before anything is measured: short runs learn the next look from fewer contexts, and have
        a smaller pilot.
        """
        if self.limit is None:
            return plan
        share = min(max(self.limit / AMPLE, 0.1), 1.0)
        pilot = max(FEWEST_GROUPS, int(plan.pilot * share))
        return replace(plan, contexts=int(plan.contexts * share), pilot=min(pilot, plan.pilot))

    def left(self) -> float:
        """Seconds left; infinite without a limit."""
        return float("inf") if self.limit is None else self.limit - (perf_counter() - self.start)

    def ranking(self, plan: TrainingPlan, dataset: Dataset) -> float:
        """Seconds from the last booster to the end: models of today, and everybody's list."""
        listed = int((dataset.basket_counts > 0).sum())
        return self.fitting + listed * self.customer * LISTS_COST

    def growing(self, plan: TrainingPlan, rows: int) -> float:
        """Seconds that the boosters take on `rows` rows: two kinds for two lists, judged once and grown once again."""
        boosters = 4 + (3 * plan.seeds + plan.new_seeds) * 0.7  # the final ones stop where the judged ones were best
        return boosters * rows * plan.ranker.most_rounds * self.row_round / max(plan.threads, 1)

    def affordable(self, plan: TrainingPlan, dataset: Dataset, rows_per_customer: float) -> TrainingPlan:
        """The plan, or the largest share of it, that the time left allows; the smallest where nothing fits."""
        if self.limit is None:
            return plan
        smaller = plan
        for share in SHARES:
            smaller = plan.shrunk(share)
            cuts = smaller.cuts(dataset)
            examples = smaller.examples(dataset)
            rows = min(examples * rows_per_customer, smaller.rows)
            learning = len(cuts) * self.fitting + (examples + smaller.judged) * self.customer
            if learning + self.growing(smaller, int(rows)) + self.ranking(smaller, dataset) < MARGIN * self.left():
                break
        return smaller

    def rounds(self, plan: TrainingPlan, dataset: Dataset, rows: int) -> TrainingPlan:
        """The plan with as many rounds and seeds as the time left allows for `rows` rows."""
        if self.limit is None:
            return plan
        left = MARGIN * self.left() - self.ranking(plan, dataset)
        for most in range(max(plan.seeds, plan.new_seeds), 0, -1):
            smaller = replace(plan, seeds=min(plan.seeds, most), new_seeds=min(plan.new_seeds, most))
            if self.growing(smaller, rows) < left:
                return smaller
        share = max(left, 0.0) / max(self.growing(smaller, rows), 1e-9)
        return replace(smaller, ranker=smaller.ranker.shorter(share))
