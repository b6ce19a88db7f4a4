"""Weights that make those who answered stand for all customers, by tier and channel."""

from __future__ import annotations

import polars as pl

LEAST_ANSWERERS = 5
"""Answerers a cell needs to speak for its customers; smaller cells are pooled."""

LARGEST_WEIGHT = 5.0
"""Weights are cut here, in units of the mean weight: a little bias for much less noise."""


def response_weights(customers: pl.DataFrame, answered: pl.Series) -> pl.DataFrame:
    """Post-stratification weights of the customers who answered: person, weight (mean 1).

    customers: person, tier, channel, one row per customer we could have heard from. answered: the persons who did. A
    cell (tier × channel) weighs its customers over its answerers; cells with fewer than LEAST_ANSWERERS are pooled with
    the others of their tier, then with all. Right where, within a cell, answering has nothing to do with the answer.
    Source: Holt and Smith, J. R. Stat. Soc. A 142(1), 1979.
    """
    known = customers.with_columns(pl.col("tier").fill_null("–"), pl.col("channel").fill_null("–"))
    known = known.with_columns(heard=pl.col("person").is_in(answered.unique().implode()))
    if not known.height or not known["heard"].any():
        return pl.DataFrame(schema={"person": pl.String, "weight": pl.Float64})
    heard = pl.col("heard").sum()
    own = (heard.over("tier", "channel") >= LEAST_ANSWERERS).alias("own")
    known = known.with_columns(own)
    of_tier = pl.when("own").then(None).otherwise(pl.col("tier"))
    known = known.with_columns(pooled=of_tier)
    tier_heard = heard.over("pooled") >= LEAST_ANSWERERS
    known = known.with_columns(
        cell=pl.when("own")
        .then(pl.concat_str("tier", "channel", separator="\x1f"))
        .when(tier_heard)
        .then(pl.concat_str(pl.col("tier"), pl.lit("\x1e")))
        .otherwise(pl.lit("\x1d"))
    )
    cells = known.group_by("cell").agg(pl.len().alias("all"), heard.alias("heard"))
    # What is left over when nobody of the pooled rest answered is spread over everyone: it cannot be represented.
    cells = cells.filter(pl.col("heard") > 0).with_columns(weight=pl.col("all") / pl.col("heard"))
    weighted = known.filter("heard").join(cells.select("cell", "weight"), on="cell").select("person", "weight")
    mean = pl.col("weight").mean()
    weighted = weighted.with_columns(pl.min_horizontal(pl.col("weight") / mean, pl.lit(LARGEST_WEIGHT)).alias("weight"))
    return weighted.with_columns(pl.col("weight") / mean).sort("person")
