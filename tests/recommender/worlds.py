"""Small trained models made by hand, where the right answer can be read off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recommender.columns import EVIDENCE, SOURCES
from recommender.trained import ItemNeighbours, RankedLists, TrainedModel

CUT_OFF = datetime(2026, 6, 1, tzinfo=UTC)

Candidate = tuple[str, float, bool, str, str, str, float]
"""product, probability, is_new, source, evidence kind, evidence product ('' none), evidence value."""


def lists(rows: Sequence[Sequence[Candidate]], products: Sequence[str]) -> RankedLists:
    flat = [candidate for row in rows for candidate in row]
    number = {product: i for i, product in enumerate(products)}
    return RankedLists(
        indptr=np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64),
        product=np.array([number[c[0]] for c in flat], np.int32),
        score=np.array([c[1] for c in flat], np.float32),
        probability=np.array([c[1] for c in flat], np.float32),
        is_new=np.array([c[2] for c in flat], np.bool_),
        source=np.array([SOURCES.index(c[3]) for c in flat], np.uint8),
        evidence=np.array([number.get(c[5], -1) for c in flat], np.int32),
        evidence_kind=np.array([EVIDENCE.index(c[4]) for c in flat], np.uint8),
        evidence_value=np.array([c[6] for c in flat], np.float32),
    )


def neighbours(table: dict[str, list[tuple[str, float]]], products: Sequence[str]) -> ItemNeighbours:
    number = {product: i for i, product in enumerate(products)}
    rows = [table.get(product, []) for product in products]
    return ItemNeighbours(
        np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64),
        np.array([number[p] for row in rows for p, _ in row], np.int32),
        np.array([w for row in rows for _, w in row], np.float32),
    )


def own(product: str, probability: float, bought: float = 3.0) -> Candidate:
    return product, probability, False, "repeat", "bought_before", product, bought


def new(product: str, probability: float, because: str = "", kind: str = "bought_with") -> Candidate:
    return product, probability, True, "cosine", kind if because else "popular", because, 0.3


def model(**changes: Any) -> TrainedModel:
    """Ten products P0..P9, customers A (knows P0..P2), B (P3) and ゑ🍙; stores S1, S2."""
    products = [f"P{i}" for i in range(10)]
    popular = [new(f"P{i}", 0.10 - 0.005 * i) for i in range(10)]
    base = TrainedModel(
        cut_off=CUT_OFF,
        product_ids=products,
        customer_ids=["A", "B", "ゑ🍙"],
        store_ids=["S1", "S2"],
        ahead=lists(
            [
                [own("P0", 0.40), own("P1", 0.30), new("P4", 0.25, "P0"), new("P5", 0.20, "P1"), own("P2", 0.10),
                 new("P6", 0.08, "P0"), new("P7", 0.06, "P0"), new("P8", 0.05, "P1")],
                [own("P3", 0.50), new("P0", 0.20, "P3"), new("P1", 0.15)],
                [],
            ],
            products,
        ),
        cold=lists([popular, popular[:5], list(reversed(popular))], products),
        copurchase=neighbours({"P0": [("P4", 0.5), ("P9", 0.3)], "P3": [("P0", 0.2)]}, products),
        coview=neighbours({"P8": [("P9", 0.4), ("P7", 0.2)]}, products),
        parameters={"rounds": 10},
        metrics={"guard": {"evaluation": "last baskets of May", "metric": "ndcg@10", "value": 0.15}},
        stage_seconds={"fit": 1.5},
        rows=100,
        seed=7,
    )  # fmt: skip
    return replace(base, **changes)


def scored(value: float, evaluation: str = "last baskets of May") -> TrainedModel:
    return model(
        metrics={"guard": {"evaluation": evaluation, "metric": "ndcg@10", "value": value}}, rows=int(value * 1e6)
    )
