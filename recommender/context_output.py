"""Batch lists for anonymous contexts: what is likely to be looked at next."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from recommender.candidate_set import Candidates, join, merge, without
from recommender.candidates.session_table import Contexts
from recommender.candidates.sessions import SessionRanker
from recommender.columns import PRODUCT, RANK, SCORE
from recommender.id_table import as_table
from recommender.live_interest import in_hand_parts
from recommender.trained import TrainedModel

CONTEXT: Final = "context_id"
PRODUCTS: Final = "products"


def context_recommendations(model: TrainedModel, contexts: pl.DataFrame, *, k: int = 20) -> pl.DataFrame:
    """One row per context and rank: context_id, rank, product_id, score, source.

    `contexts` has context_id and products (a list, in the order looked at; unknown products are passed over). By
    the session model where the version has one; else what goes with the products in baskets and sessions; filled up
    with what is popular.
    """
    table = as_table(model.product_ids)
    known = [[n for p in products if (n := table.find(p)) >= 0] for products in contexts[PRODUCTS].to_list()]
    if model.sessions is not None:
        indptr, product, score = SessionRanker(model.sessions).rank(Contexts.of(known), k)
        source = "web"
    else:
        lists = [_together(model, products, k) for products in known]
        indptr = np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)
        product = np.concatenate([part.product for part in lists] or [np.zeros(0, np.int32)])
        score = np.concatenate([part.probability for part in lists] or [np.zeros(0)]).astype(np.float32)
        source = "baskets"
    sizes = np.diff(indptr)
    row = np.repeat(np.arange(len(known)), sizes)
    return pl.DataFrame(
        {
            CONTEXT: contexts[CONTEXT].gather(row),
            RANK: (np.arange(len(row)) - indptr[:-1][row] + 1).astype(np.int32),
            PRODUCT: pl.Series(table[:], dtype=pl.String).gather(product),
            SCORE: score.astype(np.float64),
            "source": pl.repeat(source, len(row), eager=True),
        }
    )


def _together(model: TrainedModel, products: list[int], k: int) -> Candidates:
    """What goes with the products by baskets and sessions, then what is popular; never the products themselves."""
    held, among = np.array(products, np.int32), len(model.product_ids)
    found = without(merge(in_hand_parts(model, products)), held, among)
    found = found.take(np.argsort(-found.probability, kind="stable")[:k])
    popular = Candidates.of_row(model.cold, 0, 2 * k + len(held))
    popular = without(popular, np.concatenate([held, found.product]), among)
    return join([found, popular.take(np.arange(len(popular))[: k - len(found)])])
