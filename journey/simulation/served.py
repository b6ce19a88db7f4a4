"""The ``suggestions`` and ``outcomes`` tables, from the log of proposals."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation.floor import Clerks
from journey.simulation.people import People
from journey.simulation.products import Products
from journey.simulation.proposals import REASONS, RESULTS
from journey.simulation.stores import Stores

_DECLINED = ("price", "have_at_home", "other_brand", "not_interested", "no_time")
_NOT_PROPOSED = ("hurried", "already_in_basket", "not_suitable", "out_of_stock")
_CONSIDERING = ("compare", "ask_family", "next_time")


def suggestion_ids(log: pl.DataFrame) -> pl.Series:
    """One id per row of the log, in its order."""
    return log.select(pl.concat_str(pl.lit("G"), pl.int_range(pl.len()).cast(pl.String).str.zfill(9))).to_series()


def suggestions_table(
    log: pl.DataFrame, people: People, products: Products, clerks: Clerks, stores: Stores
) -> pl.DataFrame:
    """The ``suggestions`` table; times in seconds of the window."""
    return log.select(
        suggestion_id=suggestion_ids(log),
        customer_id=pl.Series(people.ids).gather(log["person"]),
        store_id=pl.Series(stores.ids).gather(log["store"]),
        clerk_id=pl.when(pl.col("clerk") >= 0).then(pl.Series(clerks.ids).gather(log["clerk"].clip(0))),
        shown_at="shown",
        product_id=pl.Series(products.ids).gather(log["product"]),
        rank="rank",
        score="score",
        propensity="propensity",
        model=pl.lit("simulated"),
        policy=pl.lit("uniform"),
        arm=pl.when("holdout").then(pl.lit("holdout")).otherwise(pl.lit("suggested")),
        reason=pl.Series(REASONS).gather(log["reason"]),
    )


def outcomes_table(log: pl.DataFrame, clerks: Clerks, rng: np.random.Generator) -> pl.DataFrame:
    """The ``outcomes`` table: what clerks tapped; a reason in about half of the cases."""
    log = log.with_columns(suggestion_id=suggestion_ids(log)).filter("tapped")
    result = log["result"].to_numpy()
    n = log.height
    why = np.select(
        [result == 1, result == 2, result == 3],
        [
            rng.choice(_CONSIDERING, n, p=[0.4, 0.25, 0.35]),
            rng.choice(_DECLINED, n, p=[0.26, 0.24, 0.18, 0.22, 0.10]),
            np.where(
                log["congestion"].to_numpy() > 1.5, "hurried", rng.choice(_NOT_PROPOSED, n, p=[0.3, 0.2, 0.4, 0.1])
            ),
        ],
        "",
    )
    why = np.where(rng.random(n) < 0.55, why, "")
    return log.select(
        outcome_id=pl.concat_str(pl.lit("O"), pl.col("suggestion_id").str.slice(1)),
        suggestion_id="suggestion_id",
        clerk_id=pl.Series(clerks.ids).gather(log["clerk"]),
        occurred_at="at",
        result=pl.Series(RESULTS).gather(log["result"]),
        why=pl.when(pl.Series(why) != "").then(pl.Series(why)),
    )
