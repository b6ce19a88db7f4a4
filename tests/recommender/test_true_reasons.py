"""A reason names what moved the score: without it the product would stand lower, or the reason would be another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from recommender.batch import Fitted
from recommender.candidates.pool import Candidates
from recommender.columns import EVIDENCE
from recommender.dataset import Dataset
from recommender.evidence import Evidence, Witness
from recommender.learning import fit
from recommender.pace import Pace
from recommender.proof import BEHIND, proven, without
from tests.recommender.counter import Counter, event
from tests.recommender.purchases import product_master, two_tastes


def chance(counter: Counter, product: str, **request: Any) -> tuple[float, str]:
    """The chance of a product, and the ground of its reason."""
    answer = counter.ask(k=10, **request)
    found = next((p for p in answer.proposals if p.product_id == product), None)
    return (found.probability, str(found.evidence["ground"])) if found else (0.0, "not proposed")


@pytest.mark.parametrize(
    ("told", "product", "with_it", "without_it"),
    [
        ("viewed_itself", "P9", {"events": [event("view", "P9", 1)]}, {}),
        ("carted", "P9", {"events": [event("cart", "P9", 1), event("view", "P9", 2)]},
         {"events": [event("view", "P9", 2)]}),
        ("favorited", "P9", {"events": [event("favorite", "P9")]}, {}),
        ("searched", "P9", {"events": [event("search", query="商品9")]}, {}),
        ("viewed", "P9", {"events": [event("cart", "P8")]}, {}),
        ("in_hand", "P4", {"basket": ("P0",), "customer": "ゑ🍙"}, {"customer": "ゑ🍙"}),
        ("seen_with", "P9", {"seen_products": ("P8",), "customer": "ゑ🍙"}, {"customer": "ゑ🍙"}),
    ],
)  # fmt: skip
def test_what_is_cited_of_now_moved_the_score(
    session: Session, told: str, product: str, with_it: dict[str, Any], without_it: dict[str, Any]
) -> None:
    counter = Counter(session)
    higher, ground = chance(counter, product, **with_it)
    lower, other = chance(counter, product, **without_it)
    assert ground == told
    assert higher > lower * 1.2
    assert other != told


def test_a_weaker_ground_does_not_take_the_word_from_a_stronger_one(session: Session) -> None:
    counter = Counter(session)
    assert chance(counter, "P0", events=[event("view", "P0", 13)])[1] == "bought_before", "a look long ago moves little"
    assert chance(counter, "P8", events=[event("cart", "P8")])[1] == "carted", "a full cart moves more than a neighbour"


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    lines = two_tastes(customers=170, products=60, baskets=5)
    return fit(Dataset.from_frames(lines, products=product_master(60)), 1, pace=Pace.of(0.1))


def test_what_the_lists_cite_moved_the_score(fitted: Fitted) -> None:
    """Scored again for every cited candidate: without what the models behind the evidence say it stands lower."""
    customers = np.flatnonzero(fitted.panel.view.counts > 0).astype(np.int32)
    witness = Witness(fitted.panel, fitted.rankers.get("all"))
    told = taken_away = 0
    for candidates, names, matrix in fitted.panel.blocks(customers, 1):
        everyone = np.ones(len(candidates), np.bool_)
        claimed = witness.explain(candidates)
        kept = proven(claimed, candidates, everyone, names, matrix, fitted.stated)
        stands = fitted.stated(matrix)
        for kind in ("bought_with", "similar_name", "neighbours"):
            rows = np.flatnonzero((kept.kind == EVIDENCE.index(kind)) & ~candidates.owned)
            assert (without(matrix[rows], names, kind, fitted.stated) < stands[rows]).all()
            told += len(rows)
        taken_away += int((kept.kind != claimed.kind).sum())
        assert (kept.product[kept.kind == EVIDENCE.index("none")] == -1).all()
        untested = proven(claimed, candidates, ~everyone, names, matrix, fitted.stated)
        assert not np.isin(untested.kind[~candidates.owned], [EVIDENCE.index(kind) for kind in BEHIND]).any()
    assert told > 200
    assert taken_away > 0


def test_evidence_that_did_not_move_the_score_gives_way() -> None:
    names = ["score_cosine", "rank_cosine", "score_neighbours", "age"]
    matrix = np.array([[0.5, 1, 0.2, 3], [0.5, 1, 0.2, 3], [0.4, 2, np.nan, 3]], np.float32)
    n = len(matrix)
    candidates = Candidates(
        np.zeros(1, np.int32), np.array([0, n]), np.zeros(n, np.int32), np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32), np.zeros(n, np.bool_), np.zeros((2, n), np.float32),
        np.zeros((2, 1), np.float32),
    )  # fmt: skip
    kinds = np.full(n, EVIDENCE.index("bought_with"), np.uint8)
    claimed = Evidence(np.zeros(n, np.uint8), np.full(n, 7, np.int32), kinds, np.full(n, 0.3, np.float32))
    everyone = np.ones(n, np.bool_)

    def told(*columns: int) -> list[str]:
        def score(rows: np.ndarray) -> np.ndarray:
            return np.nan_to_num(rows[:, columns]).sum(axis=1)

        return [EVIDENCE[kind] for kind in proven(claimed, candidates, everyone, names, matrix, score).kind]

    assert told(0, 3) == ["bought_with"] * 3
    assert told(2, 3) == ["neighbours", "neighbours", "none"], "customers alike moved the first two"
    assert told(3) == ["none"] * 3
