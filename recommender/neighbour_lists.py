"""Products that go with a product, as the flat lists that serving reads."""

import numpy as np
from scipy import sparse

from recommender.baskets import Floats
from recommender.candidates.base import strongest
from recommender.trained import ItemNeighbours
from recommender.views import View

NEIGHBOURS = 50
PRIOR = 10.0
BLOCK = 2048


def neighbour_lists(similar: sparse.csr_array) -> ItemNeighbours:
    """Rows of a similarity matrix as lists, strongest first, weights at most 1."""
    best = strongest(similar, NEIGHBOURS)
    weight: Floats = np.clip(best.data, 0.0, 1.0).astype(np.float32)
    return ItemNeighbours(best.indptr.astype(np.int64), best.indices.astype(np.int32), weight)


def copurchase(view: View) -> ItemNeighbours:
    """What stands in one basket with each product, un-carded receipts included.

    The weight is the share of the product's baskets that held the other one, both drawn towards chance by PRIOR
    baskets; the order is by lift over chance times that share, so that bags and bread do not lead every list.
    """
    baskets = view.all_baskets
    by_product = baskets.T.tocsr()
    held = np.diff(by_product.indptr).astype(np.float32)
    total = np.float32(max(baskets.shape[0], 1))
    chance = held / total
    rows, columns, weights = [], [], []
    for start in range(0, view.products, BLOCK):
        together = without_block_diagonal(sparse.coo_array(by_product[start : start + BLOCK] @ baskets), start)
        share = (together.data + PRIOR * chance[together.col]) / (held[start + together.row] + PRIOR)
        lift = share / np.maximum(chance[together.col], 1 / total)
        order = np.where(together.data >= 2, share * np.log1p(lift), 0).astype(np.float32)
        shape = (min(BLOCK, view.products - start), view.products)
        best = strongest(sparse.csr_array((order, (together.row, together.col)), shape=shape), NEIGHBOURS)
        kept = sparse.csr_array((share.astype(np.float32), (together.row, together.col)), shape=shape)
        row = np.repeat(np.arange(shape[0]), np.diff(best.indptr))
        real = best.data > 0
        if not real.any():
            continue
        rows.append(row[real] + start)
        columns.append(best.indices[real])
        weights.append(np.asarray(kept[row[real], best.indices[real]], np.float32).ravel())
    row = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=view.products))]).astype(np.int64)
    column = np.concatenate(columns) if columns else np.zeros(0)
    weight = np.concatenate(weights) if weights else np.zeros(0)
    return ItemNeighbours(indptr, column.astype(np.int32), np.clip(weight, 0, 1).astype(np.float32))


def without_block_diagonal(together: sparse.coo_array, start: int) -> sparse.coo_array:
    """The block without each product's own column."""
    other = together.col != together.row + start
    return sparse.coo_array((together.data[other], (together.row[other], together.col[other])), shape=together.shape)
