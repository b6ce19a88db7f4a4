"""Market baskets: which products are bought together more often than chance would have it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import coo_matrix, csr_matrix, triu
from sqlalchemy import ColumnElement, String, cast, func, literal, select
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.purchases import PosLine

LEAST_TOGETHER = 5
MOST_LINES = 1_000_000
MOST_PRODUCTS = 3_000

PAIRS = {
    "product_id": pl.String,
    "with_id": pl.String,
    "baskets": pl.Int64,
    "lift": pl.Float64,
    "low": pl.Float64,
    "confidence": pl.Float64,
    "q_value": pl.Float64,
}


def basket_pairs(baskets: pl.DataFrame, *, least_together: int = LEAST_TOGETHER, most_q: float = 0.05) -> pl.DataFrame:
    """Pairs bought together more than chance would, each from both sides, strongest (by ``low``) first per product.

    baskets: basket, product_id. ``lift`` is P(both) / (P(one) P(other)), ``low`` the lower end of its 95 % interval
    (exact Poisson for the baskets with both), ``confidence`` the share of the product's baskets that hold the other
    as well. Chance over the many pairs looked at is dealt with by Benjamini–Hochberg: pairs above ``most_q`` are left
    out. Of more than MOST_PRODUCTS products the ones in most baskets are looked at.
    """
    distinct = baskets.unique(["basket", "product_id"])
    top = distinct.group_by("product_id").len().sort("len", "product_id", descending=[True, False]).head(MOST_PRODUCTS)
    names = top["product_id"].to_list()
    distinct = distinct.join(top.select("product_id").with_row_index("column"), on="product_id")
    if distinct.is_empty():
        return pl.DataFrame(schema=PAIRS)
    row = distinct["basket"].rank("dense").to_numpy().astype(np.int64) - 1
    total = baskets["basket"].n_unique()
    shape = (int(row.max()) + 1, len(names))
    held = csr_matrix((np.ones(row.size, dtype=np.int64), (row, distinct["column"].to_numpy())), shape)
    alone = np.asarray(held.sum(axis=0)).reshape(-1)
    both = coo_matrix(triu(held.T @ held, k=1))
    enough = both.data >= least_together
    one, other, count = both.row[enough], both.col[enough], both.data[enough]
    expected = alone[one] * alone[other] / total
    p_values = np.asarray(stats.poisson.sf(count - 1, expected), dtype=np.float64)
    q_values = _q_values(p_values, len(names) * (len(names) - 1) // 2)
    kept = (q_values <= most_q) & (count > expected)
    one, other, count, expected, q_values = one[kept], other[kept], count[kept], expected[kept], q_values[kept]
    low = stats.chi2.ppf(0.025, 2 * count) / 2 / expected
    sides = [
        pl.DataFrame(
            {
                "product_id": [names[i] for i in a],
                "with_id": [names[j] for j in b],
                "baskets": count,
                "lift": count / expected,
                "low": low,
                "confidence": count / alone[a],
                "q_value": q_values,
            },
            schema=PAIRS,
        )
        for a, b in ((one, other), (other, one))
    ]
    return pl.concat(sides).sort("product_id", "low", "with_id", descending=[False, True, False])


def _q_values(p_values: NDArray[np.float64], looks: int) -> NDArray[np.float64]:
    """Benjamini–Hochberg over all ``looks`` pairs, those never seen together counting as p = 1."""
    order = np.argsort(p_values)
    stepped = p_values[order] * looks / np.arange(1, p_values.size + 1)
    q = np.empty_like(p_values)
    q[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return q


def recorded_baskets(session: Session, period: Period, *, store: str | None = None) -> tuple[pl.DataFrame, int | None]:
    """Baskets of the record: basket, product_id; and the first day looked at where there were too many lines.

    A basket is a customer's day, or a receipt where the customer is unknown. At most about MOST_LINES lines are read,
    the latest ones.
    """
    chosen = period.covers(PosLine.sold_at) & (PosLine.quantity > 0)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    since = _first_day(session, chosen)
    if since is not None:
        chosen = chosen & (PosLine.local_day >= since)
    of_customer = PosLine.customer_id + literal("\x1f") + cast(PosLine.local_day, String)
    basket = func.coalesce(of_customer, literal("\x1f") + PosLine.receipt_id)
    statement = select(basket, PosLine.product_id).where(chosen).distinct()
    return query_frame(session, statement, {"basket": TEXT, "product_id": TEXT}), since


def _first_day(session: Session, chosen: ColumnElement[bool]) -> int | None:
    """The day from which on at most MOST_LINES lines lie; None where all may be read."""
    statement = (
        select(PosLine.local_day, func.count())
        .where(chosen)
        .group_by(PosLine.local_day)
        .order_by(PosLine.local_day.desc())
    )
    days = query_frame(session, statement, {"day": WHOLE, "lines": WHOLE})
    within = days.filter(pl.col("lines").cum_sum() <= MOST_LINES)
    if within.height == days.height:
        return None
    return int(within["day"][-1] if within.height else days["day"][0])
