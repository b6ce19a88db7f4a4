"""Latent factors: ALS on purchase counts, and LightFM with product and customer features."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from lightfm import LightFM
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommender.baskets import Floats, Ints
from recommender.candidates.content import customer_tokens, product_tokens
from recommender.views import View


@dataclass
class Als:
    """Implicit-feedback matrix factorisation (Hu, Koren, Volinsky 2008) over logarithmic decayed counts.

    Serves the customer's vector times the product vectors, negative affinities cut to 0.
    """

    factors: int = 64
    iterations: int = 12
    regularisation: float = 5.0
    confidence: float = 10.0
    seed: int = 0
    threads: int = 1
    name: str = "als"

    def fit(self, view: View) -> Self:
        """Factorise customers × products."""
        counts = view.decayed(0.95)
        weight = (self.confidence * np.log1p(counts.data)).astype(np.float32)
        matrix = sparse.csr_matrix((weight, counts.indices, counts.indptr), shape=counts.shape)
        self._customers = np.zeros((view.customers, self.factors), np.float32)
        self._products = np.zeros((view.products, self.factors), np.float32)
        if not matrix.nnz:
            return self
        # implicit runs its own threads and warns of BLAS threads beside them
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.factors, iterations=self.iterations, regularization=self.regularisation, alpha=1.0,
                dtype=np.float32, num_threads=self.threads, random_state=self.seed,
            )  # fmt: skip
            model.fit(matrix, show_progress=False)
        self._customers, self._products = np.asarray(model.user_factors), np.asarray(model.item_factors)
        return self

    def score(self, customers: Ints) -> Floats:
        """Affinity, about 0 to 1."""
        return np.asarray(np.maximum(self._customers[customers] @ self._products.T, 0.0), np.float32)


@dataclass
class Hybrid:
    """LightFM with WARP loss (Kula 2015): identity, product and customer features share one space.

    Scores are the sigmoid of the affinity, so that products without any purchase are ordered by their features.
    `epochs` at most, and no fewer than two: what counts is the number of `steps`, one per customer and product bought,
    after which further ones rank no better.
    """

    components: int = 32
    epochs: int = 10
    steps: int = 1_500_000
    rate: float = 0.05
    seed: int = 0
    name: str = "hybrid"

    def fit(self, view: View) -> Self:
        """Learn the representations; customers and products without purchases get those of their features."""
        owned = view.owned
        product_features = _with_identity(product_tokens(view.dataset.products))
        customer_features = _with_identity(customer_tokens(view.dataset.customers))
        model = LightFM(
            no_components=self.components, loss="warp", learning_rate=self.rate, item_alpha=1e-6, user_alpha=1e-6,
            random_state=self.seed, max_sampled=10,
        )  # fmt: skip
        weight = sparse.coo_matrix(owned.log1p().astype(np.float32))
        seen = sparse.coo_matrix((np.ones_like(weight.data), (weight.row, weight.col)), shape=weight.shape)
        if not seen.nnz:
            self._customers = np.zeros((view.customers, 1), np.float32)
            self._products = np.zeros((view.products, 1), np.float32)
            self._bias = np.zeros(view.products, np.float32)
            return self
        epochs = min(self.epochs, max(self.steps // seen.nnz, 2))
        model.fit(
            seen, user_features=customer_features, item_features=product_features, sample_weight=weight,
            epochs=epochs, num_threads=1,  # its threads overwrite each other's steps: no two runs are alike
        )  # fmt: skip
        self._bias, self._products = model.get_item_representations(product_features)
        _, self._customers = model.get_user_representations(customer_features)
        return self

    def score(self, customers: Ints) -> Floats:
        """Sigmoid of the affinity."""
        affinity = self._customers[customers] @ self._products.T + self._bias
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(affinity, -30, 30))), np.float32)


def _with_identity(tokens: sparse.csr_array) -> sparse.csr_matrix:
    identity = sparse.identity(tokens.shape[0], dtype=np.float32, format="csr")
    both = sparse.hstack([identity, tokens], format="csr")
    sums = np.maximum(np.asarray(both.sum(axis=1)).ravel(), 1e-9)
    return sparse.csr_matrix(sparse.diags_array(1.0 / sums) @ both).astype(np.float32)
