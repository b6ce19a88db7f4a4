"""What customers said soon after they bought a product: the voice beside ID-POS.

A comment counts for the products its writer bought in the days before (with the receipt it was asked about among
them). Where the words name no product, several products of one basket share a comment: a figure is a place to look,
with its n, not a verdict.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import DAY_MICROS, Period
from analytics.rates import wilson
from analytics.voice import read_comments
from journey.purchases import PosLine
from journey.surveys import Answer

DAYS_AFTER = 14
"""A comment within so many days after the purchase counts for the product."""

MOST_COMMENTS = 20_000


def product_voices(session: Session, period: Period, *, store: str | None = None) -> dict[str, dict[str, Any]]:
    """Product → voices (comments), negative (of them), negative_low, negative_high (share), theme (the commonest)."""
    comments = _comments(session, period, store)
    if comments.is_empty():
        return {}
    read = pl.concat([comments, read_comments(comments["text"].to_list())], how="horizontal")
    joined = _bought_before(session, comments).join(read, on="customer_id")
    after = pl.col("answered_at") - pl.col("sold_at")
    close = joined.filter((after >= 0) & (after <= DAYS_AFTER * DAY_MICROS)).unique(["product_id", "response_id"])
    table = (
        close.with_columns(theme=pl.col("themes").list.first())
        .group_by("product_id")
        .agg(
            pl.len().alias("voices"),
            (pl.col("label") == "negative").sum().alias("negative"),
            pl.col("theme").drop_nulls().mode().sort().first().alias("theme"),
        )
        .sort("product_id")
    )
    low, high = wilson(table["negative"].to_numpy(), table["voices"].to_numpy())
    table = table.with_columns(negative_low=pl.Series(low), negative_high=pl.Series(high))
    return {row.pop("product_id"): row for row in table.to_dicts()}


def _comments(session: Session, period: Period, store: str | None) -> pl.DataFrame:
    chosen = period.covers(Answer.answered_at) & Answer.customer_id.is_not(None) & (func.trim(Answer.comment) != "")
    if store is not None:
        chosen = chosen & (Answer.store_id == store)
    statement = (
        select(Answer.response_id, Answer.customer_id, type_coerce(Answer.answered_at, BigInteger), Answer.comment)
        .where(chosen)
        .order_by(Answer.answered_at.desc())
        .limit(MOST_COMMENTS)
    )
    schema = {"response_id": TEXT, "customer_id": TEXT, "answered_at": WHOLE, "text": TEXT}
    return query_frame(session, statement, schema).unique("response_id", maintain_order=True)


def _bought_before(session: Session, comments: pl.DataFrame) -> pl.DataFrame:
    """customer_id, product_id, sold_at of those who commented, from DAYS_AFTER days before the first comment on."""
    first = int(comments["answered_at"].to_numpy().min()) - DAYS_AFTER * DAY_MICROS
    last = int(comments["answered_at"].to_numpy().max())
    writers = select(Answer.customer_id).where(Answer.customer_id.is_not(None), func.trim(Answer.comment) != "")
    statement = select(PosLine.customer_id, PosLine.product_id, type_coerce(PosLine.sold_at, BigInteger)).where(
        Period(first, last + 1).covers(PosLine.sold_at), PosLine.customer_id.in_(writers), PosLine.quantity > 0
    )
    return query_frame(session, statement, {"customer_id": TEXT, "product_id": TEXT, "sold_at": WHOLE})
