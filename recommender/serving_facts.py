"""What training tells serving besides the lists: how often interest on the web ends in a purchase, and which
products are bought again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from recommender.baskets import BasketTable, Floats
from recommender.dataset import INTEREST_KINDS, Dataset
from recommender.live_interest import RATES
from recommender.trained import RankedLists

WITHIN: Final = timedelta(days=7)
PRIOR_EVENTS: Final = 200
"""So many events' worth of the usual rates is mixed into the measured ones."""
PRIOR_BUYERS: Final = 5.0


def repeat_shares(baskets: BasketTable, products: int) -> Floats:
    """Per product the share of its buyers who have it in more than one of their baskets, drawn towards the share of
    all products by PRIOR_BUYERS.
    """
    pairs = baskets.customer[np.repeat(np.arange(len(baskets)), baskets.sizes)].astype(np.int64) * products
    pair, times = np.unique(pairs + baskets.product, return_counts=True)
    product = pair % products
    buyers = np.bincount(product, minlength=products)
    again = np.bincount(product[times > 1], minlength=products)
    usual = float(again.sum() / max(buyers.sum(), 1))
    return ((again + PRIOR_BUYERS * usual) / (buyers + PRIOR_BUYERS)).astype(np.float32)


def foremost(lists: RankedLists, places: int = 5) -> Floats:
    """The chances of the first `places` of every list: what would be proposed."""
    first = np.arange(places) + lists.indptr[:-1, None]
    return np.asarray(lists.probability[first[first < lists.indptr[1:, None]]], np.float32)


def live_rates(dataset: Dataset) -> dict[str, float]:
    """Per kind of web event the share of known customers' events whose product they bought within WITHIN after it.

    Events of the last days before the cut-off are left out, as their outcome is not known yet. Of one customer's
    events of a kind on a product only the first counts.
    """
    web, carded, products = dataset.web, dataset.carded, len(dataset.product_ids)
    window = WITHIN // timedelta(microseconds=1)
    until = int(dataset.as_of.timestamp() * 1e6) - window
    events = (
        pl.DataFrame({"key": web.customer.astype(np.int64) * products + web.product, "kind": web.kind, "at": web.time})
        .filter(pl.Series(web.customer >= 0), pl.col("at") <= until)
        .group_by("key", "kind")
        .agg(pl.col("at").min())
        .sort("at")
    )
    line_basket = np.repeat(np.arange(len(carded)), carded.sizes)
    bought = pl.DataFrame(
        {
            "key": carded.customer[line_basket].astype(np.int64) * products + carded.product,
            "at": carded.time[line_basket],
            "bought": carded.time[line_basket],
        }
    ).sort("at")
    met = events.join_asof(bought, on="at", by="key", strategy="forward", tolerance=window, check_sortedness=False)
    counted = met.group_by("kind").agg(n=pl.len(), ends=pl.col("bought").is_not_null().sum())
    found = {INTEREST_KINDS[kind]: (n, ends) for kind, n, ends in counted.iter_rows()}
    return {
        kind: (found.get(kind, (0, 0))[1] + PRIOR_EVENTS * rate) / (found.get(kind, (0, 0))[0] + PRIOR_EVENTS)
        for kind, rate in RATES.items()
    }
