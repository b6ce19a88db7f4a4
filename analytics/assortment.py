"""Assortment: products that regulars buy, products that bring new customers, and what a delisting would lose.

Definitions, per product and over identified customers who bought it in the period: - regular_share: share who are
regulars, with purchases on at least REGULAR_DAYS days of the record up to the period's end; - newcomer_share: share
who bought it on their very first purchase day of the record; - repeat_rate: share who bought it on more than one day;
- loss_if_delisted: sales that would go. A buyer who bought the category on n days × products, k of them this product,
is taken to move to the others in that proportion: k/n of what they spend on it is lost, all of it where they buy
nothing else there. The share lost among identified customers is taken for all its sales. What else was in those
baskets is not counted as lost. What would make it wrong: products bought for different uses within one category do
not replace each other; the loss is then larger.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sqlalchemy import BigInteger, Float, Select, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.baskets import basket_pairs, recorded_baskets
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import EPOCH_DAY, Period, local_day
from analytics.product_voice import product_voices
from analytics.rates import benjamini_hochberg, wilson
from journey.database import MONEY_SCALE
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import DEFAULT_TIMEZONE

REGULAR_DAYS = 3
FEW_BUYERS = 10
_COMPANIONS = 5

_COLUMNS = {
    "product_id": TEXT,
    "name": TEXT,
    "category": TEXT,
    "buyers": WHOLE,
    "regulars": WHOLE,
    "newcomers": WHOLE,
    "repeaters": WHOLE,
    "known_sales": REAL,
    "lost_sales": REAL,
    "known_units": REAL,
    "lost_units": REAL,
    "sales": REAL,
    "units": REAL,
}


def product_roles(session: Session, period: Period, *, store: str | None = None) -> pl.DataFrame:
    """One row per product sold, summed in the database: see _COLUMNS; sales in the chain's currency, net of returns.

    ``known_`` figures are of identified customers, ``lost_`` their part that would not move to other products.
    """
    frame = query_frame(session, _roles(period, store), _COLUMNS)
    money = [pl.col(c) / MONEY_SCALE for c in ("known_sales", "lost_sales", "sales")]
    return frame.with_columns(*money).sort("sales", "product_id", descending=[True, False])


def _roles(period: Period, store: str | None) -> Select[*tuple[Any, ...]]:
    chosen = period.covers(PosLine.sold_at)
    if store is not None:
        chosen = chosen & (PosLine.store_id == store)
    known = PosLine.customer_id.is_not(None)
    bought_day = case((PosLine.quantity > 0, PosLine.local_day))
    amount = type_coerce(PosLine.amount, BigInteger)
    people = (
        select(
            PosLine.customer_id.label("customer_id"),
            func.count(func.distinct(PosLine.local_day)).label("days"),
            func.min(PosLine.local_day).label("first_day"),
        )
        .where(Period(None, period.end).covers(PosLine.sold_at), known, PosLine.quantity > 0)
        .group_by(PosLine.customer_id)
        .cte("people")
    )
    pairs = (
        select(
            PosLine.customer_id.label("customer_id"),
            PosLine.product_id.label("product_id"),
            func.coalesce(Product.category, PosLine.product_id).label("category"),
            func.count(func.distinct(bought_day)).label("days"),
            func.min(bought_day).label("first_day"),
            func.sum(amount).label("amount"),
            func.sum(PosLine.quantity).label("units"),
            # The customer's own figures ride along: joined to the pairs below, SQLite would scan them for each.
            func.min(people.c.days).label("customer_days"),
            func.min(people.c.first_day).label("customer_first_day"),
        )
        .join(people, people.c.customer_id == PosLine.customer_id)
        .join(Product, Product.product_id == PosLine.product_id, isouter=True)
        .where(chosen, known)
        .group_by(PosLine.customer_id, PosLine.product_id, Product.category)
        .cte("pairs")
    )
    # A window over the pairs spares a second pass: how often each customer bought the category at all.
    placed = select(
        pairs, func.sum(pairs.c.days).over(partition_by=(pairs.c.customer_id, pairs.c.category)).label("category_days")
    ).cte("placed")
    stays = cast(placed.c.days, Float) / placed.c.category_days
    roles = (
        select(
            placed.c.product_id,
            func.count().label("buyers"),
            func.sum(case((placed.c.customer_days >= REGULAR_DAYS, 1), else_=0)).label("regulars"),
            func.sum(case((placed.c.first_day == placed.c.customer_first_day, 1), else_=0)).label("newcomers"),
            func.sum(case((placed.c.days > 1, 1), else_=0)).label("repeaters"),
            cast(func.sum(placed.c.amount), Float).label("known_sales"),
            func.sum(placed.c.amount * stays).label("lost_sales"),
            func.sum(placed.c.units).label("known_units"),
            func.sum(placed.c.units * stays).label("lost_units"),
        )
        .where(placed.c.days > 0)
        .group_by(placed.c.product_id)
        .cte("roles")
    )
    sold = (
        select(
            PosLine.product_id.label("product_id"),
            func.sum(amount).label("sales"),
            func.sum(PosLine.quantity).label("units"),
        )
        .where(chosen)
        .group_by(PosLine.product_id)
        .cte("sold")
    )
    counts = (func.coalesce(roles.c[name], 0) for name in ("buyers", "regulars", "newcomers", "repeaters"))
    sums = (func.coalesce(roles.c[name], 0.0) for name in ("known_sales", "lost_sales", "known_units", "lost_units"))
    return (
        select(
            sold.c.product_id, Product.name, Product.category, *counts, *sums, cast(sold.c.sales, Float), sold.c.units
        )
        .join(roles, roles.c.product_id == sold.c.product_id, isouter=True)
        .join(Product, Product.product_id == sold.c.product_id, isouter=True)
    )


def product_rows(roles: pl.DataFrame, pairs: pl.DataFrame) -> list[dict[str, Any]]:
    """The report's rows from product_roles and analytics.baskets.basket_pairs.

    Shares have intervals (Wilson) and are null without buyers; loss is null where no identified customer bought the
    product.
    """
    companions: dict[str, list[dict[str, Any]]] = {}
    for row in pairs.group_by("product_id", maintain_order=True).head(_COMPANIONS).iter_rows(named=True):
        companions.setdefault(row["product_id"], []).append(
            {"product_id": row["with_id"], "lift": row["lift"], "low": row["low"], "baskets": row["baskets"]}
        )
    table = roles.with_columns(
        _loss_share(pl.col("lost_sales"), pl.col("known_sales")).alias("loss_share"),
        _loss_share(pl.col("lost_units"), pl.col("known_units")).alias("unit_loss_share"),
    )
    # Without amounts (some tills deliver none) the units tell the share.
    share = pl.coalesce("loss_share", "unit_loss_share")
    table = table.with_columns(
        loss_share=share, loss=share * pl.col("sales"), loss_units=pl.col("unit_loss_share") * pl.col("units")
    )
    bounds = {
        name: wilson(table[name].to_numpy(), table["buyers"].to_numpy())
        for name in ("regulars", "newcomers", "repeaters")
    }
    shown = {"regulars": "regular_share", "newcomers": "newcomer_share", "repeaters": "repeat_rate"}
    rows = []
    for i, row in enumerate(table.iter_rows(named=True)):
        n = row["buyers"]
        rates: dict[str, float | None] = {}
        for count, name in shown.items():
            low, high = bounds[count]
            rates[name] = row[count] / n if n else None
            rates[f"{name}_low"], rates[f"{name}_high"] = (float(low[i]), float(high[i])) if n else (None, None)
        rows.append(
            {key: row[key] for key in ("product_id", "name", "category", "buyers", "sales", "units")}
            | rates
            | {
                "lift_with": companions.get(row["product_id"], []),
                "loss_if_delisted": row["loss"],
                "loss_share": row["loss_share"],
                "loss_units": row["loss_units"],
            }
        )
    return rows


def _loss_share(lost: pl.Expr, known: pl.Expr) -> pl.Expr:
    return pl.when(known > 0).then((lost / known).clip(0.0, 1.0))


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """The ``assortment`` report: products by falling sales, chain means to compare with, notes."""
    period = Period.of(start, end, timezone)
    roles = product_roles(session, period, store=store)
    notes: list[str] = []
    if roles.is_empty():
        notes.append("No sales in this period; import pos_lines.")
        return {"products": [], "chain": None, "notes": notes}
    baskets, since = recorded_baskets(session, period, store=store)
    if since is not None:
        notes.append(f"Baskets are looked at from {EPOCH_DAY + timedelta(since)} on; earlier ones are too many.")
    buyers = int(roles["buyers"].sum())
    if not buyers:
        notes.append("No sale belongs to an identified customer; shares and losses are not known.")
    few = roles.filter(pl.col("buyers") < FEW_BUYERS).height
    if few:
        notes.append(f"{few} products have fewer than {FEW_BUYERS} identified buyers; read their intervals.")
    first = _record_start(session)
    if period.start is None or local_day(period.start, timezone) <= first:
        notes.append(
            "Customers from before the record began count as new on their first recorded day;"
            " a later start leaves them out."
        )
    if roles["category"].null_count():
        notes.append(
            "Products without a category have nothing to replace them, so that all of their sales count as lost."
        )
    means = {
        name: int(roles[count].sum()) / buyers if buyers else None
        for count, name in (
            ("regulars", "regular_share"),
            ("newcomers", "newcomer_share"),
            ("repeaters", "repeat_rate"),
        )
    }
    products = product_rows(roles, basket_pairs(baskets))
    voices = product_voices(session, period, store=store)
    for product in products:
        product |= _voice_of(voices.get(product["product_id"]))
    for share in ("regular_share", "newcomer_share"):
        _mark_above(products, share, means[share])
    return {"products": products, "chain": means, "notes": notes}


def _mark_above(products: list[dict[str, Any]], share: str, usual: float | None) -> None:
    """Write ``{share}_q`` into the rows: how sure it is that the share is above the chain's, for many looks.

    One-sided binomial test against the chain's mean, Benjamini–Hochberg over the products with FEW_BUYERS or more; null
    for the others.
    """
    for row in products:
        row[f"{share}_q"] = None
    looked_at = [row for row in products if row["buyers"] >= FEW_BUYERS]
    if usual is None or not looked_at:
        return
    buyers = np.array([row["buyers"] for row in looked_at], dtype=np.float64)
    hits = np.array([round(row[share] * row["buyers"]) for row in looked_at], dtype=np.float64)
    q_values = benjamini_hochberg(stats.binom.sf(hits - 1, buyers, usual))
    for row, q in zip(looked_at, q_values, strict=True):
        row[f"{share}_q"] = float(q)


def _voice_of(said: dict[str, Any] | None) -> dict[str, Any]:
    """What buyers said soon after, beside the sales; without a comment no share."""
    said = said or {"voices": 0, "negative": 0, "negative_low": None, "negative_high": None, "theme": None}
    share = said["negative"] / said["voices"] if said["voices"] else None
    return {
        "voices": said["voices"],
        "voice_negative": share,
        "voice_negative_low": said["negative_low"],
        "voice_negative_high": said["negative_high"],
        "voice_theme": said["theme"],
    }


def _record_start(session: Session) -> int:
    return session.scalar(select(func.min(PosLine.local_day))) or 0
