"""What customers bought next: the yardstick of an evaluation."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from recommender.baskets import Ints, Longs
from recommender.columns import CUSTOMER, PRODUCT, RANK
from recommender.dataset import Dataset, local_days
from recommender.examples import owned_keys
from recommender.metrics import Judged, hits_of, judge
from recommender.views import View


@dataclass(frozen=True)
class Truth:
    """Products bought by some customers after the record ends.

    `customer_ids` and `customers` (index in the dataset, -1 unknown to it) have one entry per customer. `keys` are
    sorted row * products + product; `owned` those of them that the customer had bought before. Products unknown to
    the dataset count in the sizes only: they could not be recommended, but were bought.
    """

    customer_ids: list[str]
    customers: Ints
    keys: Longs
    owned: Longs
    sizes: Longs
    new_sizes: Longs
    repeat_sizes: Longs

    def of(self, kind: str) -> tuple[Longs, Longs]:
        """Keys and sizes to judge a list of this kind by: explore by what was new, repeat by what was not."""
        if kind == "repeat":
            return self.owned, self.repeat_sizes
        if kind == "explore":
            return np.setdiff1d(self.keys, self.owned, assume_unique=True), self.new_sizes
        return self.keys, self.sizes


def truth_of(dataset: Dataset, customers: Ints, line_customer: Ints, line_product: Ints) -> Truth:
    """Truth from indices: `customers` ascending, lines with customer and product."""
    ids = [dataset.customer_ids[customer] for customer in customers]
    row = np.searchsorted(customers, line_customer)
    return _built(dataset, ids, customers, row.astype(np.int64), line_product.astype(np.int64))


def truth_from(bought: pl.DataFrame, dataset: Dataset) -> Truth:
    """Truth from rows of customer_id and product_id."""
    bought = bought.select(pl.col(CUSTOMER).cast(pl.String), pl.col(PRODUCT).cast(pl.String)).unique()
    ids = bought[CUSTOMER].unique().sort()
    products = pl.Series(dataset.product_ids, dtype=pl.String).to_frame(PRODUCT).with_row_index("product")
    coded = bought.join(ids.to_frame().with_row_index("row"), on=CUSTOMER).join(products, on=PRODUCT, how="left")
    place = {name: number for number, name in enumerate(dataset.customer_ids)}
    customers = np.array([place.get(name, -1) for name in ids.to_list()], np.int32)
    product = coded["product"].cast(pl.Int64).fill_null(-1).to_numpy()
    return _built(dataset, ids.to_list(), customers, coded["row"].cast(pl.Int64).to_numpy(), product)


def _built(dataset: Dataset, ids: list[str], customers: Ints, row: Longs, product: Longs) -> Truth:
    """Distinct rows of (row, product); product -1 for one the dataset does not know."""
    count = max(len(dataset.product_ids), 1)
    known = product >= 0
    keys = np.sort(row[known] * count + product[known])
    inside = customers[keys // count].astype(np.int64)
    held = np.isin(inside * count + keys % count, owned_keys(View.of(dataset, 0))) & (inside >= 0)
    sizes = np.bincount(row, minlength=len(ids)).astype(np.int64)
    repeat_sizes = np.bincount(keys[held] // count, minlength=len(ids)).astype(np.int64)
    return Truth(ids, customers, keys, keys[held], sizes, sizes - repeat_sizes, repeat_sizes)


def next_baskets(
    lines: pl.DataFrame, dataset: Dataset, stores: pl.DataFrame | None = None, until: datetime | None = None,
    timezone: str = "Asia/Tokyo",
) -> Truth:  # fmt: skip
    """Every carded customer's first basket (local day) after the dataset's cut-off, and before `until`.

    `lines` are the whole till's, as for `Dataset.from_frames`; what was sold before the cut-off is not looked at.
    """
    later = lines.filter(pl.col("quantity") > 0, pl.col(CUSTOMER).is_not_null(), pl.col("sold_at") >= dataset.as_of)
    if until is not None:
        later = later.filter(pl.col("sold_at") < until)
    later = later.with_columns(day=local_days(later, stores, timezone))
    first = later.filter(pl.col("day") == pl.col("day").min().over(CUSTOMER))
    return truth_from(first, dataset)


def judge_lists(
    lists: pl.DataFrame, truth: Truth, dataset: Dataset, kind: str, ks: tuple[int, ...] = (10, 20)
) -> Judged:
    """Metrics per customer of lists with customer_id, rank and product_id; who has no list scores 0."""
    place = pl.Series(truth.customer_ids, dtype=pl.String).to_frame(CUSTOMER).with_row_index("row")
    products = pl.Series(dataset.product_ids, dtype=pl.String).to_frame(PRODUCT).with_row_index("product")
    coded = lists.select(CUSTOMER, RANK, PRODUCT).join(place, on=CUSTOMER).join(products, on=PRODUCT, how="left")
    coded = coded.filter(pl.col(RANK) <= max(ks))
    table: Ints = np.full((len(truth.customer_ids), max(ks)), -1, np.int32)
    table[coded["row"].to_numpy(), coded[RANK].to_numpy() - 1] = (
        coded["product"].cast(pl.Int32).fill_null(-1).to_numpy()
    )
    keys, sizes = truth.of(kind)
    hits = hits_of(table, np.arange(len(table), dtype=np.int32), keys, len(dataset.product_ids))
    return judge(hits, sizes, ks)
