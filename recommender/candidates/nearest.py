"""Nearest rows: for each query the rows of a pool with the largest inner products, at a cost that fits the data.

A block of queries made dense is multiplied by the whole pool, which visits every entry of the pool once per block with
long vectors; a sparse product visits only the entries of the products that a query holds, one by one. Where products
are few and histories long, the former is several times faster, where they are many, the latter.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, narrow
from recommender.candidates.base import dense, nothing, rows_of, strongest

WIDTH: Final = 64
"""Queries multiplied at once; their dense columns and one row of results stay in a processor's cache."""
SPARSE_COST: Final = 20.0
"""Cost of adding one entry in a sparse product, relative to that of one entry and one query of a dense block."""


class NearestRows:
    """A pool of sparse rows among which the nearest to a query are looked for."""

    def __init__(self, pool: sparse.csr_array) -> None:
        self._size = pool.shape[0]
        held = np.bincount(pool.indices, minlength=pool.shape[1]).astype(np.float64)
        # entries that a sparse product would visit for a query that holds what a row of the pool holds
        visited = float((held**2).sum()) / max(self._size, 1)
        self.is_dense = visited * SPARSE_COST > pool.nnz
        self._table = pool if self.is_dense else sparse.csr_array(pool.T.tocsr())

    def use(self, *, dense: bool) -> None:
        """Go the one way or the other, whatever was found cheaper."""
        if dense != self.is_dense:
            self.is_dense, self._table = dense, sparse.csr_array(self._table.T.tocsr())

    def __len__(self) -> int:
        return self._size

    def products(self, queries: sparse.csr_array) -> Iterator[tuple[int, Floats]]:
        """Blocks of at most WIDTH queries: the first one's number, and the pool's rows × queries, dense."""
        for start, asked in blocks_of(queries):
            if self.is_dense:
                yield start, self._table @ np.ascontiguousarray(dense(asked).T)
            else:
                yield start, np.ascontiguousarray(dense(asked @ self._table).T)

    def nearest(self, queries: sparse.csr_array, k: int) -> sparse.csr_array:
        """Queries × pool: the k largest positive inner products of each query, largest first within its row."""
        if self.is_dense:
            parts = [best_of_columns(values, k, 0.0) for _, values in self.products(queries)]
        else:
            parts = [strongest(asked @ self._table, k) for _, asked in blocks_of(queries)]
        if not parts:
            return nothing(0, self._size)
        return sparse.csr_array(sparse.vstack(parts, format="csr"))


def blocks_of(queries: sparse.csr_array) -> Iterator[tuple[int, sparse.csr_array]]:
    """At most WIDTH rows at a time, with the number of the first."""
    for start in range(0, queries.shape[0], WIDTH):
        yield start, rows_of(queries, np.arange(start, min(start + WIDTH, queries.shape[0]), dtype=np.int32))


def best_of_columns(values: Floats, k: int, above: float) -> sparse.csr_array:
    """Columns × rows: the k largest entries of every column that are larger than `above`, largest first.

    Rows are taken in groups: k groups whose largest entry reaches a bound prove that the k-th largest entry does, so
    only groups that reach it are looked into.
    """
    rows, columns = values.shape
    # as many groups to rank as entries to look into
    size = max(int((rows / max(k, 1)) ** 0.5), 1)
    largest = np.ascontiguousarray(_largest_of_groups(values, size).T)
    bound = np.full(columns, above, np.float32)
    if largest.shape[1] > k:
        edge = largest.shape[1] - k
        bound = np.maximum(np.partition(largest, edge, axis=1)[:, edge], np.float32(above))
    column, group = np.nonzero(largest >= bound[:, None])
    row = (group[:, None] * size + np.arange(size)).ravel()
    column = np.repeat(column, size)
    inside = row < rows
    row, column = row[inside], column[inside]
    found = values[row, column]
    kept = (found >= bound[column]) & (found > above)
    indptr = narrow(np.concatenate([[0], np.cumsum(np.bincount(column[kept], minlength=columns))]))
    row = narrow(row)
    return strongest(sparse.csr_array((found[kept], row[kept], indptr), shape=(columns, rows)), k)


def _largest_of_groups(values: Floats, size: int) -> Floats:
    """The largest entry of each column within every `size` rows; the last group may be smaller."""
    if size == 1:
        return values
    whole = len(values) // size
    largest: Floats = values[: whole * size].reshape(whole, size, values.shape[1]).max(axis=1)
    if whole * size < len(values):
        largest = np.concatenate([largest, values[whole * size :].max(axis=0, keepdims=True)])
    return largest
