"""Purchases written out by hand, and a world of two tastes in which the right suggestions are obvious."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

TABLE = [
    # receipt, line, customer, day of March 2026, product, quantity
    ("a1", 1, "ann", 1, "bread", 1),
    ("a1", 2, "ann", 1, "milk", 2),
    ("a1", 3, "ann", 1, "bread", 1),
    ("a2", 1, "ann", 3, "bread", 1),
    ("a3", 1, "ann", 5, "bread", 1),
    ("a4", 1, "ann", 5, "jam", 1),
    ("a4", 2, "ann", 5, "tea", -1),
    ("b1", 1, "bob", 1, "bread", 1),
    ("b1", 2, "bob", 1, "milk", 1),
    ("b2", 1, "bob", 4, "milk", 1),
    ("b2", 2, "bob", 4, "jam", 1),
    ("c1", 1, "cyd", 2, "jam", 1),
    ("c1", 2, "cyd", 2, "tea", 1),
    ("c2", 1, "cyd", 6, "bread", 1),
    ("d1", 1, "dan", 3, "tea", 3),
    ("r1", 1, None, 2, "tea", 1),
    ("r1", 2, None, 2, "cake", 1),
    ("r2", 1, None, 5, "bread", 1),
    ("r2", 2, None, 5, "milk", 1),
    ("r3", 1, None, 5, "cake", -1),
]
PRODUCTS = ["bread", "cake", "jam", "milk", "tea"]


def table_lines(rows: list[tuple[str, int, str | None, int, str, int]] | None = None) -> pl.DataFrame:
    rows = TABLE if rows is None else rows
    return pl.DataFrame(
        {
            "receipt_id": [row[0] for row in rows],
            "line_no": [row[1] for row in rows],
            "store_id": ["s1"] * len(rows),
            "sold_at": [datetime(2026, 3, row[3], 3, tzinfo=UTC) for row in rows],
            "customer_id": pl.Series([row[2] for row in rows], dtype=pl.String),
            "product_id": [row[4] for row in rows],
            "quantity": [float(row[5]) for row in rows],
        },
        schema_overrides={"sold_at": pl.Datetime("us", "UTC")},
    )


def two_tastes(
    customers: int = 60, products: int = 24, baskets: int = 6, seed: int = 7, last: int | None = None
) -> pl.DataFrame:
    """Even customers buy even products, odd ones odd products, a few again and again, on days of their own.

    `last` re-draws what stood in everybody's last basket (other products of the same taste, as many) and nothing else.
    """
    random = np.random.default_rng(seed)
    other = np.random.default_rng(last)
    rows = []
    start = datetime(2026, 1, 5, 3, tzinfo=UTC)
    for customer in range(customers):
        taste = np.arange(customer % 2, products, 2)
        favourites = random.choice(taste, 2, replace=False)
        day = int(random.integers(0, 5))
        for basket in range(baskets):
            day += int(random.integers(2, 9))
            extra = random.choice(taste, 3, replace=False)
            inside = sorted({*favourites.tolist(), *extra.tolist()})
            if basket == baskets - 1 and last is not None:
                inside = sorted(other.choice(taste, len(inside), replace=False).tolist())
            rows += [(customer, basket, day, product) for product in inside]
    return pl.DataFrame(
        {
            "receipt_id": [f"r{customer}-{basket}" for customer, basket, _, _ in rows],
            "line_no": list(range(len(rows))),
            "store_id": [f"s{customer % 3}" for customer, _, _, _ in rows],
            "sold_at": [start + timedelta(days=day) for _, _, day, _ in rows],
            "customer_id": [f"c{customer:03}" for customer, _, _, _ in rows],
            "product_id": [f"p{product:02}" for _, _, _, product in rows],
            "quantity": [1.0] * len(rows),
        },
        schema_overrides={"sold_at": pl.Datetime("us", "UTC")},
    )


def product_master(products: int = 24) -> pl.DataFrame:
    """Names and categories that follow taste."""
    kinds, aisles = ["apple juice", "sesame cracker"], ["drinks", "snacks"]
    return pl.DataFrame(
        {
            "product_id": [f"p{product:02}" for product in range(products)],
            "name": [f"{kinds[product % 2]} no {product}" for product in range(products)],
            "category": [f"{aisles[product % 2]} > shelf {product % 4}" for product in range(products)],
            "brand": [f"brand {product % 3}" for product in range(products)],
        }
    )


def views_of_last_products(lines: pl.DataFrame) -> pl.DataFrame:
    """Each customer looks at the products of his first basket, an hour before it."""
    first = lines.filter(pl.col("sold_at") == pl.col("sold_at").min().over("customer_id"))
    return first.select(
        event_id=pl.lit("e") + pl.int_range(pl.len()).cast(pl.String),
        occurred_at=pl.col("sold_at") - pl.duration(hours=1),
        visitor_id=pl.lit("v") + pl.col("customer_id"),
        session_id=pl.lit("s") + pl.col("customer_id"),
        customer_id=pl.col("customer_id"),
        kind=pl.lit("view"),
        product_id=pl.col("product_id"),
    )
