"""Batch recommendations as they are written to files: lists with sources and reasons, consent honoured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from recommender.batch import Kind, rank
from recommender.columns import CUSTOMER, EVIDENCE, PROBABILITY, PRODUCT, RANK, SCORE, SOURCE
from recommender.reasons import tell
from recommender.trained import TrainedModel

REASON = "reason"
COLUMNS = (CUSTOMER, RANK, PRODUCT, SCORE, PROBABILITY, SOURCE, REASON)
NOBODY = "\x00"  # no customer id can begin with it: the importer refuses control characters


def recommendations(
    model: TrainedModel,
    customers: Sequence[str],
    *,
    kind: Kind = "all",
    k: int = 20,
    refused: Collection[str] = (),
    names: Mapping[str, str] | None = None,
    language: str = "ja",
) -> pl.DataFrame:
    """COLUMNS for each customer once, best first; customers who refused profiling get what a stranger would get.

    ``names`` are product names for the reasons; a product without one is not named.
    """
    withheld = frozenset(refused)
    wanted = list(dict.fromkeys(customers))
    asked = [NOBODY + customer if customer in withheld else customer for customer in wanted]
    lists = rank(model, asked, kind, k)
    reasons = _reasons(model, lists, names or {}, language)
    return lists.with_columns(
        pl.col(CUSTOMER).str.strip_prefix(NOBODY), pl.Series(REASON, reasons, dtype=pl.String)
    ).select(COLUMNS)


def _reasons(model: TrainedModel, lists: pl.DataFrame, names: Mapping[str, str], language: str) -> list[str]:
    """The sentence of each row, from the evidence kept with the customer's made-ahead list."""
    evidence = _evidence(model, lists)
    about_names = [names.get(product) if product is not None else None for product in evidence["about"]]
    told: dict[tuple[str, str | None], str] = {}
    sentences = []
    for ground, name in zip(evidence["ground"], about_names, strict=True):
        key = (ground, name)
        if key not in told:
            told[key] = tell({"ground": ground} | ({"name": name} if name else {}), language)
        sentences.append(told[key])
    return sentences


def _evidence(model: TrainedModel, lists: pl.DataFrame) -> pl.DataFrame:
    """Per row of ``lists`` its ``ground``, and ``about``: the customer's own product that explains it, or null."""
    ids = pl.Series(list(model.customer_ids), dtype=pl.String)
    products = pl.Series(list(model.product_ids), dtype=pl.String)
    place = pl.DataFrame({CUSTOMER: ids}).with_row_index("place")
    asked = lists.select(CUSTOMER).unique().join(place, on=CUSTOMER)
    rows = asked["place"].to_numpy().astype(np.int64)
    begin, end = model.ahead.indptr[rows], model.ahead.indptr[rows + 1]
    length = end - begin
    offset = np.concatenate([[0], np.cumsum(length)])[:-1]
    entry = np.arange(int(length.sum())) - np.repeat(offset, length) + np.repeat(begin, length)
    about = model.ahead.evidence[entry]
    known = pl.DataFrame(
        {
            CUSTOMER: asked[CUSTOMER].gather(np.repeat(np.arange(len(rows)), length)),
            PRODUCT: products.gather(model.ahead.product[entry]),
            "ground": pl.Series(EVIDENCE, dtype=pl.String).gather(model.ahead.evidence_kind[entry]),
            "about": products.gather(np.maximum(about, 0)),
            "explained": about >= 0,
        }
    ).with_columns(about=pl.when("explained").then("about"))
    itself = (pl.col("ground") == "viewed") & (pl.col("about") == pl.col(PRODUCT))
    return lists.join(known, on=[CUSTOMER, PRODUCT], how="left", maintain_order="left").select(
        pl.when(itself).then(pl.lit("viewed_itself")).otherwise(pl.col("ground").fill_null("popular")).alias("ground"),
        "about",
    )
