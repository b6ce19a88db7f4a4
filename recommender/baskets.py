"""Baskets: what one customer bought on one local day, or what stood on one receipt without a card."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.bool_]


def narrow(places: Ints | Longs) -> Ints | Longs:
    """Places with 32 bits where they suffice: sparse matrices keep all of theirs as wide as the widest, and a product
    of two that differ copies one of them.
    """
    return places.astype(np.int32) if places.max(initial=0) <= np.iinfo(np.int32).max else places


@dataclass(frozen=True)
class BasketTable:
    """Baskets as arrays, sorted by customer and day; the products of a basket are distinct and ascending.

    `customer`, `day` (days since 1970-01-01, local), `time` (microseconds UTC of the first line) and `store` have
    one entry per basket; `product` and `quantity` one per line, those of basket b at `indptr[b]:indptr[b + 1]`.
    A basket without a card has customer -1.
    """

    customer: Ints
    day: Ints
    time: Longs
    store: Ints
    indptr: Longs
    product: Ints
    quantity: Floats

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def sizes(self) -> Longs:
        """Number of distinct products per basket."""
        return np.diff(self.indptr)

    @property
    def line_basket(self) -> Ints:
        """The basket of each line."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.sizes)

    def matrix(self, products: int) -> sparse.csr_array:
        """Baskets × products, float32, 1 where bought."""
        ones = np.ones(len(self.product), np.float32)
        return sparse.csr_array((ones, self.product, narrow(self.indptr)), shape=(len(self), products))

    def where(self, keep: Flags) -> "BasketTable":
        """The baskets marked in `keep` (bool per basket), in the same order."""
        sizes = self.sizes
        lines = np.repeat(keep, sizes)
        indptr = np.zeros(int(keep.sum()) + 1, np.int64)
        np.cumsum(sizes[keep], out=indptr[1:])
        return BasketTable(
            self.customer[keep],
            self.day[keep],
            self.time[keep],
            self.store[keep],
            indptr,
            self.product[lines],
            self.quantity[lines],
        )


def gather(lines: pl.DataFrame) -> BasketTable:
    """Baskets from coded lines: `basket` (any key), `customer`, `day`, `time`, `store`, `product`, `quantity`.

    Lines of one key are one basket, the same product twice counts once with the quantities summed.
    """
    merged = lines.group_by("customer", "day", "basket", "product").agg(
        pl.col("time").min(), pl.col("store").first(), pl.col("quantity").sum()
    )
    merged = merged.sort("customer", "day", "basket", "product")
    starts = merged.select(
        (pl.struct("customer", "day", "basket") != pl.struct("customer", "day", "basket").shift(1)).fill_null(True)
    ).to_series()
    first = np.flatnonzero(starts.to_numpy())
    time = merged["time"].to_numpy()
    return BasketTable(
        customer=merged["customer"].to_numpy()[first].astype(np.int32),
        day=merged["day"].to_numpy()[first].astype(np.int32),
        time=np.minimum.reduceat(time, first).astype(np.int64) if len(first) else np.zeros(0, np.int64),
        store=merged["store"].to_numpy()[first].astype(np.int32),
        indptr=np.append(first, len(merged)).astype(np.int64),
        product=merged["product"].to_numpy().astype(np.int32),
        quantity=merged["quantity"].to_numpy().astype(np.float32),
    )
