"""The nearest rows are those of the plain product, whichever way they are found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse

from recommender.candidates.nearest import WIDTH, NearestRows, best_of_columns
from recommender.candidates.session_statistics import top


def few_products(rows: int, products: int, seed: int) -> sparse.csr_array:
    """Random rows over products of which the first are in nearly all of them."""
    random = np.random.default_rng(seed)
    held = random.random((rows, products)) < np.linspace(0.9, 0.02, products)
    return sparse.csr_array((held * random.random((rows, products))).astype(np.float32))


@pytest.mark.parametrize(("products", "k"), [(40, 7), (40, 200), (3, 5)])
@pytest.mark.parametrize("dense", [True, False])
def test_the_nearest_rows_have_the_largest_products(products: int, k: int, dense: bool) -> None:
    """Both ways, for full and partial blocks of queries, and where fewer rows than wanted have anything in common."""
    pool, queries = few_products(1_000, products, 1), few_products(WIDTH + 5, products, 2)
    rows = NearestRows(pool)
    rows.use(dense=dense)
    near = rows.nearest(queries, k)
    product = (queries @ pool.T).toarray()
    for query in range(len(product)):
        found = near.data[near.indptr[query] : near.indptr[query + 1]]
        place = near.indices[near.indptr[query] : near.indptr[query + 1]]
        best = np.sort(product[query][product[query] > 0])[::-1][:k]
        np.testing.assert_allclose(found, best, rtol=1e-5)
        np.testing.assert_allclose(product[query][place], found, rtol=1e-5)
        assert len(set(place.tolist())) == len(place)


def test_a_pool_of_few_products_is_multiplied_whole_and_one_of_many_is_not() -> None:
    assert NearestRows(few_products(500, 40, 1)).is_dense
    thin = sparse.random_array((500, 5_000), density=0.002, format="csr", rng=np.random.default_rng(3))
    assert not NearestRows(sparse.csr_array(thin)).is_dense


def test_nobody_asked_or_nobody_there_is_no_error() -> None:
    pool = few_products(50, 10, 1)
    assert NearestRows(pool).nearest(pool[:0], 3).shape == (0, 50)
    assert NearestRows(pool[:0]).nearest(pool, 3).shape == (50, 0)


@pytest.mark.parametrize(("rows", "k"), [(1, 1), (10, 3), (1_003, 9), (5, 50)])
def test_the_best_of_a_column_may_be_negative_but_never_excluded(rows: int, k: int) -> None:
    values = np.random.default_rng(rows).normal(size=(rows, 6)).astype(np.float32)
    values[0] = -np.inf
    best = best_of_columns(values, k, -np.inf)
    for column in range(6):
        found = best.data[best.indptr[column] : best.indptr[column + 1]]
        np.testing.assert_array_equal(found, np.sort(values[1:, column])[::-1][:k])


def test_of_equal_entries_the_first_columns_are_kept() -> None:
    tied: NDArray[np.float32] = np.array([[1, 2, 1, 1, 0, 3], [0, 0, 5, 0, 0, 0], [0] * 6], np.float32)
    kept = top(sparse.csr_array(tied), 3)
    np.testing.assert_array_equal(kept.toarray(), [[1, 2, 0, 0, 0, 3], [0, 0, 5, 0, 0, 0], [0] * 6])
