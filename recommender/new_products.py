"""Which of some products nobody has bought yet would suit whom, from their features alone."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender.baskets import Floats
from recommender.columns import BRAND, CATEGORY, NAME

WEIGHTS = {"leaf": 0.5, "above": 0.3, "brand": 0.2}
NAME_WEIGHT = 0.002
"""Shares are divided among the products of a category, likeness is not: it only breaks their ties."""
PRIOR = 5.0
"""Purchases' worth of the chain's habits that a customer's own are drawn to."""


def suitability(owned: sparse.csr_array, products: pl.DataFrame, offered: NDArray[np.int64]) -> Floats:
    """Customers × `offered` products: how much of what a customer buys is of the product's category, of the category
    above and of its brand, each shared among its products.

    `owned` is customers × products (times bought), `products` has name, category and brand by product index. Where
    nothing tells them apart but their names, likeness of the names to what was bought decides.
    """
    category = products[CATEGORY].fill_null("")
    groups = {
        "leaf": category,
        "above": category.str.replace(r" > [^>]*$", ""),
        "brand": products[BRAND].fill_null("") if BRAND in products.columns else pl.Series([""] * len(products)),
    }
    total = np.asarray(owned.sum(axis=1), np.float32).ravel()
    score: Floats = np.zeros((owned.shape[0], len(offered)), np.float32)
    for name, values in groups.items():
        codes = values.rank("dense").to_numpy().astype(np.int64) - 1
        known = (values != "").to_numpy()
        width = int(codes.max(initial=-1)) + 1
        member = sparse.csr_array((known.astype(np.float32), (np.arange(len(codes)), codes)), shape=(len(codes), width))
        wanted, place = np.unique(codes[offered], return_inverse=True)
        mine = np.asarray((owned @ member[:, wanted]).todense(), np.float32)
        habit = mine.sum(axis=0) / max(float(total.sum()), 1.0)
        share = (mine + PRIOR * habit) / (total[:, None] + PRIOR)
        sizes = np.maximum(np.bincount(codes, minlength=width)[wanted], 1)
        score += WEIGHTS[name] * (share / sizes)[:, place] * known[offered]
    return score + NAME_WEIGHT * _alike(owned, products, offered, total)


def _alike(owned: sparse.csr_array, products: pl.DataFrame, offered: NDArray[np.int64], total: Floats) -> Floats:
    """Customers × offered: mean likeness of the name to those of what was bought, in tf-idf of character n-grams."""
    names = [name or "" for name in products[NAME].to_list()] if NAME in products.columns else []
    if sum(map(bool, names)) < 2:
        return np.zeros((owned.shape[0], len(offered)), np.float32)
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2, sublinear_tf=True, max_features=20_000,
                            dtype=np.float32)  # fmt: skip
    try:
        described = sparse.csr_array(grams.fit_transform(names))
    except ValueError:  # no n-gram is shared by two names
        return np.zeros((owned.shape[0], len(offered)), np.float32)
    near = np.asarray(((owned @ described) @ described[offered].T).todense(), np.float32)
    return np.asarray(near / np.maximum(total[:, None], 1.0), np.float32)
