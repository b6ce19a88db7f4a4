"""The candidates of a block of customers: everything owned, and the best new products of every model."""

from dataclasses import dataclass

import numpy as np

from recommender.baskets import Flags, Floats, Ints, Longs
from recommender.candidates.base import CandidateModel, dense, rows_of
from recommender.views import View


@dataclass(frozen=True)
class Candidates:
    """Candidates of some customers, grouped by customer; products ascending within a customer.

    `indptr` has one entry more than `customers`; `row` (position within `customers`), `customer`, `product`,
    `owned` have one per candidate; `scores` is models × candidates and `best` models the customer's largest score
    of each model, models × customers.
    """

    customers: Ints
    indptr: Longs
    row: Ints
    customer: Ints
    product: Ints
    owned: Flags
    scores: Floats
    best: Floats

    def __len__(self) -> int:
        return len(self.row)

    def where(self, keep: Flags) -> "Candidates":
        """The candidates marked in `keep`, of the same customers."""
        sizes = np.bincount(self.row[keep], minlength=len(self.customers))
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Candidates(
            self.customers, indptr, self.row[keep], self.customer[keep], self.product[keep], self.owned[keep],
            self.scores[:, keep], self.best,
        )  # fmt: skip


class CandidatePool:
    """Fitted candidate models that together propose products."""

    def __init__(
        self, models: list[CandidateModel], view: View, new_per_model: int, most_owned: int, seed: int
    ) -> None:
        self.models, self.view = models, view
        self.new_per_model, self.most_owned = new_per_model, most_owned
        # products with the same score are told apart by chance, never by their number
        random = np.random.default_rng(seed)
        self._chance = (1.0 + 1e-5 * random.random(view.products)).astype(np.float32)
        # distinct values where there is no score: partitioning rows full of equal zeros is ten times slower
        self._nothing = (-1.0 - random.random(view.products)).astype(np.float32)

    @property
    def names(self) -> list[str]:
        """The models' names, in the order of `Candidates.scores`."""
        return [model.name for model in self.models]

    def propose(self, customers: Ints) -> Candidates:
        """Candidates for these customers."""
        owned_weight = dense(rows_of(self.view.decayed_memory, customers))
        owned = owned_weight > 0
        chosen = owned.copy()
        if self.most_owned < owned.shape[1]:
            surplus = np.flatnonzero(owned.sum(axis=1) > self.most_owned)
            for full in surplus:
                weakest = np.argpartition(-owned_weight[full], self.most_owned)[self.most_owned :]
                chosen[full, weakest] = False
        blocks = []
        best = np.empty((len(self.models), len(customers)), np.float32)
        for number, model in enumerate(self.models):
            scores = model.score(customers)
            blocks.append(scores)
            best[number] = scores.max(axis=1, initial=0.0)
            fresh = np.where(owned | (scores <= 0), self._nothing, scores * self._chance)
            _mark_best(fresh, self.new_per_model, chosen)
        row, product = np.nonzero(chosen)
        indptr = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int64)
        return Candidates(
            customers=customers,
            indptr=indptr,
            row=row.astype(np.int32),
            customer=customers[row],
            product=product.astype(np.int32),
            owned=owned[row, product],
            scores=np.stack([block[row, product] for block in blocks]),
            best=best,
        )


def _mark_best(scores: Floats, k: int, chosen: Flags) -> None:
    """Mark each row's k largest positive scores."""
    # partitioning values is several times faster than partitioning positions
    edge = scores.shape[1] - min(k, scores.shape[1])
    least = np.partition(scores, edge, axis=1)[:, edge]
    chosen |= scores >= np.maximum(least, np.finfo(np.float32).tiny)[:, None]
