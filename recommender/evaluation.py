"""Evaluation as the field does it: what was recommended against what was bought next."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recommender.baskets import Ints, Longs
from recommender.columns import CUSTOMER, PRODUCT, RANK
from recommender.dataset import Dataset
from recommender.examples import owned_keys
from recommender.metrics import Judged, hits_of, judge
from recommender.views import View


@dataclass(frozen=True)
class Truth:
    """What customers bought next. `owned` marks, per bought key, whether the customer had it before.

    `keys` are sorted customer row * products + product; customers unknown to the dataset have rows beyond its own,
    products unknown to it count in `sizes` only.
    """

    customer_ids: list[str]
    keys: Longs
    owned: Longs
    sizes: Longs
    new_sizes: Longs
    repeat_sizes: Longs


def truth_from(bought: pl.DataFrame, dataset: Dataset) -> Truth:
    """Truth from rows of customer_id and product_id."""
    bought = bought.select(pl.col(CUSTOMER).cast(pl.String), pl.col(PRODUCT).cast(pl.String)).unique()
    customers = bought[CUSTOMER].unique().sort()
    products = pl.Series(dataset.product_ids, dtype=pl.String).to_frame(PRODUCT).with_row_index("product")
    coded = bought.join(customers.to_frame().with_row_index("row"), on=CUSTOMER).join(products, on=PRODUCT, how="left")
    count = len(dataset.product_ids)
    row = coded["row"].to_numpy().astype(np.int64)
    known = coded.drop_nulls("product")
    keys = np.sort(known["row"].cast(pl.Int64).to_numpy() * count + known["product"].cast(pl.Int64).to_numpy())
    place = {name: number for number, name in enumerate(dataset.customer_ids)}
    inside = np.array([place.get(name, -1) for name in customers.to_list()], np.int64)
    dataset_keys = inside[keys // max(count, 1)] * count + keys % max(count, 1)
    repeat = keys[np.isin(dataset_keys, owned_keys(View.of(dataset, 0))) & (inside[keys // max(count, 1)] >= 0)]
    sizes = np.bincount(row, minlength=len(customers)).astype(np.int64)
    repeat_sizes = np.bincount(repeat // max(count, 1), minlength=len(customers)).astype(np.int64)
    return Truth(customers.to_list(), keys, repeat, sizes, sizes - repeat_sizes, repeat_sizes)


def judge_lists(lists: pl.DataFrame, truth: Truth, dataset: Dataset, kind: str, ks: tuple[int, ...]) -> Judged:
    """Metrics per customer of lists with customer_id, rank and product_id; who has no list scores 0.

    kind `all` judges against everything bought, `explore` against what was new, `repeat` against what was not.
    """
    place = pl.Series(truth.customer_ids, dtype=pl.String).to_frame(CUSTOMER).with_row_index("row")
    products = pl.Series(dataset.product_ids, dtype=pl.String).to_frame(PRODUCT).with_row_index("product")
    coded = lists.select(CUSTOMER, RANK, PRODUCT).join(place, on=CUSTOMER).join(products, on=PRODUCT, how="left")
    coded = coded.filter(pl.col(RANK) <= max(ks))
    table: Ints = np.full((len(truth.customer_ids), max(ks)), -1, np.int32)
    table[coded["row"].to_numpy(), coded[RANK].to_numpy() - 1] = (
        coded["product"].fill_null(-1).cast(pl.Int32).to_numpy()
    )
    keys = {
        "all": truth.keys,
        "repeat": truth.owned,
        "explore": np.setdiff1d(truth.keys, truth.owned, assume_unique=True),
    }[kind]
    sizes = {"all": truth.sizes, "repeat": truth.repeat_sizes, "explore": truth.new_sizes}[kind]
    rows = np.arange(len(table), dtype=np.int32)
    return judge(hits_of(table, rows, keys, len(dataset.product_ids)), sizes, ks)


def judge_model(
    lists: pl.DataFrame, truth: Truth, dataset: Dataset, kind: str, ks: tuple[int, ...] = (10, 20)
) -> dict[str, float]:
    """The means of `judge_lists`."""
    return judge_lists(lists, truth, dataset, kind, ks).means()
