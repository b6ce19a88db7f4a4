"""Products alike by name, category, brand and attributes: the only thing known of a product nobody has bought yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import orjson
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender.baskets import Floats, Ints
from recommender.candidates.base import dense, neighbours_of, normalised, nothing, rows_of
from recommender.columns import ATTRIBUTES, BRAND, CATEGORY, CUSTOMER, NAME
from recommender.views import View

RARE = 2
COMMON = 500
"""An n-gram or token of more products than this tells little apart, and comparing them all would cost too much."""
TOKEN_COLUMNS = ("tier", "gender", "area", "birth_year")


def category_levels(category: str | None) -> list[str]:
    """Every ancestor of a category path, the path itself last: 'A > B' gives ['A', 'A > B']."""
    parts = [part.strip() for part in (category or "").split(" > ") if part.strip()]
    return [" > ".join(parts[: depth + 1]) for depth in range(len(parts))]


def _tokens_of(category: str | None, brand: str | None, attributes: str | None) -> Iterator[str]:
    yield from (f"category={level}" for level in category_levels(category))
    if brand:
        yield f"brand={brand}"
    if attributes:
        try:
            document = orjson.loads(attributes)
        except orjson.JSONDecodeError:
            return
        if isinstance(document, dict):
            yield from (f"{key}={value}" for key, value in document.items() if value not in ("", None))


def _one_hot(rows: list[list[str]], rare: int = RARE) -> sparse.csr_array:
    """Rows × distinct tokens; tokens in fewer than `rare` rows are dropped."""
    flat = pl.DataFrame(
        {"row": np.repeat(np.arange(len(rows)), [len(row) for row in rows]), "token": [t for row in rows for t in row]},
        schema={"row": pl.Int64, "token": pl.String},
    ).unique(maintain_order=True)
    counts = flat.group_by("token").len().filter(pl.col("len") >= rare).sort("token").with_row_index("column")
    flat = flat.join(counts, on="token", how="inner", maintain_order="left")
    ones = np.ones(len(flat), np.float32)
    return sparse.csr_array((ones, (flat["row"].to_numpy(), flat["column"].to_numpy())), shape=(len(rows), len(counts)))


def product_tokens(products: pl.DataFrame) -> sparse.csr_array:
    """Products × tokens of category levels, brand, attributes and the words of the name."""
    rows = [
        [*_tokens_of(category, brand, attributes), *(f"word={word}" for word in (name or "").lower().split())]
        for name, category, brand, attributes in products.select(NAME, CATEGORY, BRAND, ATTRIBUTES).iter_rows()
    ]
    return _one_hot(rows, rare=3)


def customer_tokens(customers: pl.DataFrame) -> sparse.csr_array:
    """Customers × tokens of tier, gender, area and decade of birth, as far as known."""
    columns = [name for name in TOKEN_COLUMNS if name in customers.columns]
    if not columns:
        return nothing(len(customers), 0)
    rows = [
        [
            f"{name}={str(value)[:3] if name == 'birth_year' else value}"
            for name, value in zip(columns, row, strict=True)
            if value
        ]
        for row in customers.select(columns).iter_rows()
    ]
    return _one_hot(rows)


def _customer_token(column: str, value: object) -> str:
    return f"{column}={str(value)[:3] if column == 'birth_year' else value}"


def product_likeness(products: pl.DataFrame, k: int) -> sparse.csr_array:
    """Products × products: cosine of character n-grams of the name and of the tokens, k strongest, no diagonal."""
    names = [name or "" for name in products[NAME].to_list()]
    parts: list[sparse.csr_array] = []
    if any(names):
        most = COMMON if len(names) > COMMON else 1.0
        grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2, max_df=most, sublinear_tf=True,
                                max_features=50_000, dtype=np.float32)  # fmt: skip
        try:
            parts.append(sparse.csr_array(grams.fit_transform(names)))
        except ValueError:  # no n-gram is shared by two names
            parts.append(nothing(len(names), 0))
    rows = [list(_tokens_of(*row)) for row in products.select(CATEGORY, BRAND, ATTRIBUTES).iter_rows()]
    tokens = _one_hot(rows)
    held = np.bincount(tokens.indices, minlength=tokens.shape[1])
    tokens = sparse.csr_array(tokens[:, held <= COMMON])
    if tokens.nnz:
        rarity = np.log(len(products) / np.maximum(np.bincount(tokens.indices, minlength=tokens.shape[1]), 1))
        parts.append(normalised(sparse.csr_array(tokens @ sparse.diags_array(rarity.astype(np.float32)))))
    if not parts:
        return nothing(len(products), len(products))
    described = normalised(sparse.hstack(parts, format="csr", dtype=np.float32))
    near = neighbours_of(described, described, k + 1)
    own = np.repeat(np.arange(len(products)), np.diff(near.indptr)) == near.indices
    near.data[own] = 0.0
    near.eliminate_zeros()
    return near


@dataclass
class Content:
    """Mean likeness of a product to the customer's decayed history."""

    neighbours: int = 50
    decay: float = 0.9
    name: str = "content"
    likeness: sparse.csr_array | None = None
    """Computed once per dataset and shared between views, since it knows no purchase."""

    def fit(self, view: View) -> Self:
        """Describe products; take the customers' histories."""
        if self.likeness is None:
            self.likeness = product_likeness(view.dataset.products, self.neighbours)
        self._history = normalised(view.decayed(self.decay), order=1)
        return self

    def score(self, customers: Ints) -> Floats:
        """History-weighted mean likeness."""
        assert self.likeness is not None
        return dense((rows_of(self._history, customers) @ self.likeness).tocsr())


def has_content(products: pl.DataFrame) -> bool:
    """Whether anything is known of the products but their ids."""
    return any(products[name].null_count() < len(products) for name in (NAME, CATEGORY, BRAND, ATTRIBUTES))


def has_attributes(customers: pl.DataFrame) -> bool:
    """Whether anything is known of the customers but their ids."""
    return any(name in customers.columns for name in TOKEN_COLUMNS) and customers[CUSTOMER].len() > 0
