"""The guard of promotion: two versions on the same evaluation, what customers bought after both were trained."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from journey.lake import scan
from recommender.batch import rank
from recommender.registry import Comparison, Registry
from recommender.trained import TrainedModel

K = 10
FEWEST_CUSTOMERS = 100
"""With fewer customers the difference of two means is noise."""


def compare(candidate: TrainedModel, current: TrainedModel, lines: pl.DataFrame) -> Comparison | None:
    """Both versions on the next day's basket of every customer who bought after both cut-offs.

    ``lines`` has customer_id, product_id, sold_at (UTC) and quantity. None where fewer than FEWEST_CUSTOMERS bought,
    or where nobody of them was known to either version.
    """
    since = max(candidate.cut_off, current.cut_off)
    truth = next_baskets(lines, since)
    customers = truth["customer_id"].unique().sort().to_list()
    if len(customers) < FEWEST_CUSTOMERS:
        return None
    figures = [ndcg(rank(model, customers, "all", K), truth) for model in (candidate, current)]
    evaluation = f"next baskets of {len(customers)} customers since {since:%Y-%m-%d %H:%M}"
    return Comparison(evaluation, f"ndcg@{K}", candidate=figures[0], current=figures[1])


def fresh_comparison(registry: Registry, version: str, home: Path) -> Comparison | None:
    """A version against the current one on what the lake holds of purchases after both; None as in `compare`."""
    current = registry.current_version()
    if current is None or current == version:
        return None
    candidate, serving = registry.load(version), registry.load(current)
    since = max(candidate.cut_off, serving.cut_off)
    lines = scan(home, "pos_lines").filter(pl.col("sold_at") >= since)
    return compare(candidate, serving, lines.select("customer_id", "product_id", "sold_at", "quantity").collect())


def enough_to_judge(lines: pl.DataFrame, since: datetime) -> bool:
    """Whether enough customers bought at or after ``since`` for two versions to be told apart."""
    bought = (pl.col("sold_at") >= since) & (pl.col("quantity") > 0)
    return lines.filter(bought)["customer_id"].drop_nulls().n_unique() >= FEWEST_CUSTOMERS


def next_baskets(lines: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """customer_id and product_id of each customer's first day with a purchase at or after ``since``."""
    later = lines.filter(
        (pl.col("sold_at") >= since) & (pl.col("quantity") > 0) & pl.col("customer_id").is_not_null()
    ).with_columns(day=pl.col("sold_at").dt.date())
    first = pl.col("day") == pl.col("day").min().over("customer_id")
    return later.filter(first).select("customer_id", "product_id").unique()


def ndcg(lists: pl.DataFrame, truth: pl.DataFrame) -> float:
    """Mean NDCG@10 over the customers of ``truth``, binary relevance, ideal over all that was bought."""
    sizes = truth.group_by("customer_id").len("bought")
    hits = (
        lists.join(truth, on=["customer_id", "product_id"])
        .group_by("customer_id")
        .agg(gain=(1 / (pl.col("rank") + 1).log(2)).sum())
    )
    longest = int(sizes["bought"].to_numpy().max(initial=0))
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, 2 + longest)))])
    joined = sizes.join(hits, on="customer_id", how="left").with_columns(pl.col("gain").fill_null(0.0))
    return float(np.mean(joined["gain"].to_numpy() / ideal[joined["bought"].to_numpy()]))
