"""Evidence is told only where it moved the score: tested by taking away what the models of its kind say.

A ranker was trained on candidates about which some models have no opinion, so that it knows what to make of a pair
without one. For each candidate that may be shown, the columns of the models behind its evidence are emptied and it is
scored again. Where that does not lower the score, the evidence gives way to one that claims less.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from recommender.baskets import Flags, Floats
from recommender.candidates.pool import Candidates
from recommender.columns import EVIDENCE
from recommender.evidence import Evidence

BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "bought_with": ("baskets", "cosine", "bm25", "walk", "ease", "next_basket"),
    "similar_name": ("content",),
    "viewed": ("web",),
    "neighbours": ("neighbours", "taste", "states", "als", "hybrid"),
}
"""The models that say what a kind of evidence says."""
COLUMNS: Final = ("score", "relative", "rank")
LOOKS: Final = "look"
"""Prefix of the columns that tell of web interest in time."""
NEIGHBOURS: Final = EVIDENCE.index("neighbours")
NONE: Final = EVIDENCE.index("none")
Score = Callable[[Floats], Floats]


def proven(
    evidence: Evidence,
    candidates: Candidates,
    tested: Flags,
    names: list[str],
    matrix: Floats,
    score: Score,
    scored: Floats | None = None,
) -> Evidence:
    """The evidence of the `tested` candidates as far as it moved their score.

    What does not hold becomes `neighbours`, where customers alike moved the score, else `none`; so does what was not
    tested. What rests on popularity or on the customer's own purchases of the product itself stays. `score` gives one
    comparable figure per row of a matrix; `scored` is that of the whole matrix, if it is known already.
    """
    kind, product, value = evidence.kind.copy(), evidence.product.copy(), evidence.value.copy()
    own = np.isin(kind, [EVIDENCE.index(name) for name in BEHIND]) & ~candidates.owned
    held = np.zeros(len(kind), np.bool_)
    rows = np.flatnonzero(own & tested)
    stands = np.full(len(kind), np.nan, np.float32)
    stands[rows] = score(matrix[rows]) if scored is None else scored[rows]
    for name in BEHIND:
        mine = rows[kind[rows] == EVIDENCE.index(name)]
        held[mine] = without(matrix[mine], names, name, score) < stands[mine]
    fallen = np.flatnonzero(own & ~held)
    alike = fallen[tested[fallen] & (kind[fallen] != NEIGHBOURS)]
    kind[fallen], product[fallen], value[fallen] = NONE, -1, 0.0
    kind[alike[without(matrix[alike], names, "neighbours", score) < stands[alike]]] = NEIGHBOURS
    return replace(evidence, kind=kind, product=product, value=value)


def without(matrix: Floats, names: list[str], kind: str, score: Score) -> Floats:
    """The scores of candidates about which the models behind a kind of evidence have no opinion."""
    if not len(matrix):
        return np.zeros(0, np.float32)
    emptied = matrix.copy()
    for number, column in enumerate(names):
        prefix, _, model = column.partition("_")
        told = prefix in COLUMNS and model.split("/")[0] in BEHIND[kind]
        if told or (prefix == LOOKS and kind == "viewed"):
            emptied[:, number] = np.nan
    return score(emptied)
