"""Views: the record with every customer's last baskets cut off, so that what came next is known and can be learnt."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from recommender.baskets import BasketTable, Flags, Floats, Ints, Longs, narrow
from recommender.dataset import Dataset, WebTable
from recommender.pairs import PairTable


@dataclass(frozen=True)
class View:
    """A dataset cut before each customer's basket number n - s (n baskets, s = `cut`); the target is that basket.

    Customers with s baskets or fewer keep them all and have no target, so that statistics stay as dense as they
    are when serving. View 0 cuts nothing and has no targets. Models are fitted on `history` and `web` of the view
    alone, so a target cannot reach them.
    """

    dataset: Dataset
    cut: int
    history: BasketTable
    target: BasketTable
    """One basket per customer who has one, sorted by customer."""
    web: WebTable

    @classmethod
    def of(cls, dataset: Dataset, cut: int) -> "View":
        """The view that cuts the last `cut` baskets."""
        baskets, counts = dataset.carded, dataset.basket_counts
        starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
        ordinal = np.arange(len(baskets)) - starts[baskets.customer]
        left = counts[baskets.customer] - cut
        has_target = (left > 0) & (cut > 0)
        target = baskets.where(has_target & (ordinal == left))
        history = baskets.where(~has_target | (ordinal < left))
        return cls(dataset, cut, history, target, _web_before(dataset, target))

    @property
    def products(self) -> int:
        """Number of products."""
        return len(self.dataset.product_ids)

    @property
    def customers(self) -> int:
        """Number of customers."""
        return len(self.dataset.customer_ids)

    @cached_property
    def counts(self) -> Longs:
        """Baskets of each customer within the view."""
        return np.bincount(self.history.customer, minlength=self.customers).astype(np.int64)

    @cached_property
    def ends(self) -> Longs:
        """One past the last basket of each customer in `history`."""
        return np.cumsum(self.counts)

    @cached_property
    def basket_age(self) -> Ints:
        """Baskets that the customer had after each basket: 0 for the last one."""
        return (self.ends[self.history.customer] - 1 - np.arange(len(self.history))).astype(np.int32)

    @cached_property
    def today(self) -> Ints:
        """The day from which time is measured for each customer: that of the last basket, or of the cut-off."""
        days = np.full(self.customers, self.dataset.as_of_day, np.int32)
        known = self.counts > 0
        days[known] = self.history.day[self.ends[known] - 1]
        return days

    @cached_property
    def moments(self) -> Longs:
        """The moment each customer is asked about, microseconds UTC: that of the target, else that of the dataset."""
        asked = self.dataset.moments
        if asked is None:
            asked = np.full(self.customers, int(self.dataset.as_of.timestamp() * 1e6), np.int64)
        moments = asked.copy()
        moments[self.target.customer] = self.target.time
        return moments

    @cached_property
    def basket_matrix(self) -> sparse.csr_array:
        """Carded baskets × products, 1 where bought."""
        return self.history.matrix(self.products)

    @cached_property
    def owned(self) -> sparse.csr_array:
        """Customers × products, number of baskets that held the product."""
        return self.decayed(1.0)

    @cached_property
    def pairs(self) -> PairTable:
        """Every customer × product of the history."""
        return PairTable.of(self)

    @cached_property
    def decayed_memory(self) -> sparse.csr_array:
        """`decayed` with the slow decay that orders what a customer owns."""
        return self.decayed(0.95)

    def decayed(self, decay: float) -> sparse.csr_array:
        """Customers × products: sum over the customer's baskets that held it of decay ** age in baskets."""
        weight = np.power(np.float32(decay), self.basket_age.astype(np.float32))
        return self.pooled(weight)

    def pooled(self, weight: Floats) -> sparse.csr_array:
        """Customers × products: sum of `weight` (one per basket) over the baskets that held the product."""
        pooled: sparse.csr_array = (self.membership(weight) @ self.basket_matrix).tocsr()
        return pooled

    def membership(self, weight: Floats) -> sparse.csr_array:
        """Customers × baskets with `weight` (one per basket)."""
        indptr = narrow(np.concatenate([[0], self.ends]))
        baskets = np.arange(len(self.history), dtype=np.int32)
        return sparse.csr_array((weight.astype(np.float32), baskets, indptr), shape=(self.customers, len(self.history)))

    @cached_property
    def all_baskets(self) -> sparse.csr_array:
        """Carded and un-carded baskets × products, 1 where bought."""
        both: sparse.csr_array = sparse.vstack(
            [self.basket_matrix, self.dataset.uncarded.matrix(self.products)], format="csr"
        )
        return both

    @cached_property
    def popularity(self) -> Floats:
        """Baskets that held each product, un-carded ones too."""
        return np.bincount(self.all_baskets.indices, minlength=self.products).astype(np.float32)

    def prepare(self) -> None:
        """Compute what every model asks for, before several threads do."""
        _ = (self.counts, self.ends, self.basket_age, self.today, self.owned, self.decayed_memory, self.popularity)
        _ = self.moments

    def eligible(self) -> Ints:
        """Customers with a target, ascending."""
        return self.target.customer


def _web_before(dataset: Dataset, target: BasketTable) -> WebTable:
    """Web events of a customer before his target basket; of customers without one, and of strangers, all."""
    web = dataset.web
    until = np.full(len(dataset.customer_ids) + 1, np.iinfo(np.int64).max)
    until[target.customer] = target.time
    keep: Flags = web.time < until[web.customer]  # index -1, strangers, meets the spare last entry
    return WebTable(web.customer[keep], web.session[keep], web.product[keep], web.time[keep], web.kind[keep])
