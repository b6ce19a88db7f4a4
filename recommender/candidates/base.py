"""What every candidate model is: a small config, `fit` on a view, `score` for customers."""

from typing import Protocol, Self

import numpy as np
from scipy import sparse

from recommender.baskets import Floats, Ints, narrow
from recommender.views import View


class CandidateModel(Protocol):
    """Scores products for customers from one view of the record.

    `name` is an entry of `columns.SOURCES` or a variant of one written source/variant.
    """

    name: str

    def fit(self, view: View) -> Self:
        """Learn from the view's history alone."""
        ...

    def score(self, customers: Ints) -> Floats:
        """len(customers) × products, float32, ≥ 0; 0 where the model has no opinion."""
        ...


def rows_of(matrix: sparse.csr_array, rows: Ints) -> sparse.csr_array:
    """Some rows of a sparse matrix, with the type checkers' view of it kept."""
    taken: sparse.csr_array = matrix[rows]
    return taken


def dense(matrix: sparse.csr_array) -> Floats:
    """A sparse block as a dense float32 array."""
    return np.asarray(matrix.toarray(), np.float32)


def normalised(matrix: sparse.csr_array, order: int = 2) -> sparse.csr_array:
    """Rows divided by their L1 or L2 norm; empty rows stay empty."""
    data = np.abs(matrix.data) if order == 1 else matrix.data**2
    summed = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape).sum(axis=1)
    norms: Floats = np.asarray(summed, np.float32).ravel()
    norms = np.sqrt(norms) if order == 2 else norms
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return scaled_rows(matrix, scale)


def scaled_rows(matrix: sparse.csr_array, scale: Floats) -> sparse.csr_array:
    """Each row times its factor."""
    data = matrix.data * np.repeat(scale, np.diff(matrix.indptr)).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def scaled_columns(matrix: sparse.csr_array, scale: Floats) -> sparse.csr_array:
    """Each column times its factor."""
    data = (matrix.data * scale[matrix.indices]).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def inverse_frequency(matrix: sparse.csr_array) -> Floats:
    """ln(rows / rows that hold the column), 0 for empty columns."""
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float32)
    rows = np.float32(max(matrix.shape[0], 1))
    return np.where(frequency > 0, np.log(1.0 + rows / np.maximum(frequency, 1.0)), 0.0).astype(np.float32)


def strongest(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """The k largest entries of every row, largest first within the row."""
    matrix = sparse.csr_array(matrix)
    indptr = matrix.indptr
    sizes = np.minimum(np.diff(indptr), k)
    kept = narrow(np.concatenate([[0], np.cumsum(sizes)]))
    indices = np.empty(kept[-1], np.int32)
    data = np.empty(kept[-1], np.float32)
    for row in range(matrix.shape[0]):
        begin, end = indptr[row], indptr[row + 1]
        values = matrix.data[begin:end]
        if end - begin > k:
            best = np.argpartition(values, end - begin - k)[end - begin - k :]
            best = best[np.argsort(-values[best], kind="stable")]
        else:
            best = np.argsort(-values, kind="stable")
        indices[kept[row] : kept[row + 1]] = matrix.indices[begin:end][best]
        data[kept[row] : kept[row + 1]] = values[best]
    return sparse.csr_array((data, indices, kept), shape=matrix.shape)


def neighbours_of(queries: sparse.csr_array, pool: sparse.csr_array, k: int, block: int = 1024) -> sparse.csr_array:
    """For each query row the k pool rows of largest inner product, strongest first, in blocks to bound memory."""
    transposed = pool.T.tocsr()
    parts = [strongest(queries[start : start + block] @ transposed, k) for start in range(0, queries.shape[0], block)]
    if not parts:
        return nothing(0, pool.shape[0])
    stacked: sparse.csr_array = sparse.vstack(parts, format="csr")
    return stacked


def nothing(rows: int, columns: int) -> sparse.csr_array:
    """A sparse float32 matrix without entries."""
    empty = (np.zeros(0, np.float32), np.zeros(0, np.int32), np.zeros(rows + 1, np.int32))
    return sparse.csr_array(empty, shape=(rows, columns))
