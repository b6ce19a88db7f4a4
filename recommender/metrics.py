"""Ranking metrics as the field and `nbr_score` define them, and bootstrap intervals of their means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Floats, Ints, Longs

METRICS = ("recall", "ndcg", "phr")


@dataclass(frozen=True)
class Judged:
    """Values per customer of one list: `values[metric@k]` float64, one per customer whose truth is not empty."""

    values: dict[str, NDArray[np.float64]]

    def means(self) -> dict[str, float]:
        """The mean of each metric."""
        return {name: float(values.mean()) if len(values) else 0.0 for name, values in self.values.items()}


def judge(hits: NDArray[np.bool_], truth_sizes: Longs, ks: tuple[int, ...]) -> Judged:
    """Metrics of ranked lists.

    hits: customers × ranks, whether the product at that rank was bought (False beyond the list's end).
    truth_sizes: products bought per customer; customers with none are left out.
    recall@k = hits / |T|; phr@k = any hit; ndcg@k = Σ over hit ranks r of 1/log2(r+1), divided by Σ over
    i = 1..|T| of the same - the ideal list is not cut at k.
    """
    hits, truth_sizes = hits[truth_sizes > 0], truth_sizes[truth_sizes > 0]
    longest = int(max(hits.shape[1], truth_sizes.max(initial=0)))
    discount = 1.0 / np.log2(np.arange(longest) + 2.0)
    ideal: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(discount)])[truth_sizes]
    values: dict[str, NDArray[np.float64]] = {}
    for k in ks:
        top = hits[:, :k]
        values[f"recall@{k}"] = top.sum(axis=1) / truth_sizes
        values[f"ndcg@{k}"] = (top @ discount[: top.shape[1]]) / ideal
        values[f"phr@{k}"] = np.asarray(top.any(axis=1), np.float64)
    return Judged(values)


def hits_of(lists: Ints, customers: Ints, truth_keys: Longs, products: int) -> NDArray[np.bool_]:
    """Whether each recommended product was bought.

    lists: customers × ranks of product indices, -1 beyond the end; customers: the index of each row;
    truth_keys: sorted customer * products + product of what was bought.
    """
    keys = customers[:, None].astype(np.int64) * products + lists
    return np.isin(keys, truth_keys) & (lists >= 0)


def bootstrap(values: NDArray[np.float64], seed: int, samples: int = 1000) -> tuple[float, float]:
    """The 95 % percentile interval of the mean, resampling customers; (0, 0) of nothing."""
    if not len(values):
        return 0.0, 0.0
    random = np.random.default_rng(seed)
    means = np.empty(samples)
    for start in range(0, samples, 50):
        stop = min(start + 50, samples)
        picks = random.integers(0, len(values), (stop - start, len(values)), dtype=np.int32)
        means[start:stop] = values[picks].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def standard_error(values: NDArray[np.float64]) -> float:
    """The standard error of the mean."""
    return float(values.std() / np.sqrt(len(values))) if len(values) else 0.0


def expected_calibration_error(probability: Floats, outcome: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean absolute difference between stated and observed rate over equally filled bins, weighted by their size."""
    if not len(probability):
        return 0.0
    order = np.argsort(probability, kind="stable")
    error = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        error += len(part) * abs(float(probability[part].mean()) - float(outcome[part].mean()))
    return error / len(order)
