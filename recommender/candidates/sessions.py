"""The next look in an anonymous context: reminders, sequential rules and nearest sessions, ordered by a ranker.

The ranker is learnt on later sessions than the statistics it reads, and kept only if it beats the plain order there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from recommender.baskets import Flags, Floats, Ints, Longs
from recommender.candidates.session_features import FEATURES, Pairs, pairs, plain_score
from recommender.candidates.session_statistics import SessionStatistics
from recommender.candidates.session_table import Contexts, sessions_of
from recommender.dataset import WebTable
from recommender.trained import SessionModel

HELD_OUT: Final = 0.12
LEARNT_FROM: Final = 16_000
JUDGED_SHARE: Final = 0.375
"""Contexts judged on, relative to those learnt from."""
FEWEST: Final = 200
"""Contexts without which no ranker is learnt."""
ROUNDS: Final = 160
STEP: Final = 40
BATCH: Final = 1_000
AT: Final = 20
PARAMETERS: Final[dict[str, Any]] = {
    "learning_rate": 0.07, "num_leaves": 31, "min_data_in_leaf": 50, "feature_fraction": 0.6, "bagging_fraction": 0.8,
    "bagging_freq": 1, "lambda_l2": 5.0, "lambdarank_truncation_level": AT, "verbose": -1, "num_threads": 1,
    "deterministic": True, "force_col_wise": True,
}  # fmt: skip
LINKS: Final = ("forward_last", "backward_last", "together_last")
OBJECTIVES: Final = ("binary", "lambdarank")


def fit(web: WebTable, products: int, *, seed: int = 0, contexts: int = LEARNT_FROM) -> SessionModel | None:
    """A model of all sessions, its ranker learnt from at most `contexts`; None where no session has two looks."""
    sessions = sessions_of(web)
    if not len(sessions):
        return None
    settings: dict[str, Any] = {"ranker": "plain", "sessions": len(sessions), "judged": {}}
    booster = ""
    held = int(len(sessions) * HELD_OUT)
    if held:
        later = np.arange(len(sessions) - held, len(sessions))
        random = np.random.default_rng(seed)
        mixed = random.permutation(later)
        learn = sessions.take(np.sort(mixed[held // 3 :])).contexts(contexts, random)
        judge = sessions.take(np.sort(mixed[: held // 3])).contexts(int(contexts * JUDGED_SHARE), random)
        if min(len(learn[1]), len(judge[1])) >= FEWEST:
            earlier = sessions.take(np.arange(len(sessions) - held))
            statistics = SessionStatistics.fit(earlier, products, float(sessions.start[later[0]]))
            booster, settings["ranker"], settings["judged"] = _choose(statistics, learn, judge, seed)
    whole = SessionStatistics.fit(sessions, products, float(sessions.start[-1]))
    return SessionModel(whole.arrays() | {"booster": np.frombuffer(booster.encode(), np.uint8)}, settings)


class SessionRanker:
    """A fitted model ready to rank; holds views of the model's arrays."""

    def __init__(self, model: SessionModel) -> None:
        self._statistics = SessionStatistics.of(model.arrays)
        text = bytes(model.arrays["booster"]).decode()
        self._booster = lgb.Booster(model_str=text) if text else None
        self._log_odds = str(model.settings["ranker"]).startswith("lambdarank")

    def rank(self, contexts: Contexts, k: int) -> tuple[Longs, Ints, Floats]:
        """The k likeliest next looks of every context: indptr, product and score, best first.

        A context without products gets what is looked at most lately.
        """
        starts = range(0, max(len(contexts), 1), BATCH)
        parts = [self._rank(contexts.part(start, min(start + BATCH, len(contexts))), k) for start in starts]
        sizes = np.concatenate([size for size, _, _ in parts])
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return indptr, np.concatenate([p for _, p, _ in parts]), np.concatenate([s for _, _, s in parts])

    def companions(self, context: list[int], k: int) -> tuple[Ints, Floats]:
        """Products other than those of the context that are looked at together with its latest one, likeliest first,
        and the share each has of the next looks there.
        """
        found = pairs(self._statistics, Contexts.of([context]))
        near = found.values[:, FEATURES.index("near")]
        score = near.astype(np.float64) if self._booster is None else score_of(found, self._booster).astype(np.float64)
        chance = np.exp(score - score.max()) if self._log_odds else score
        chance /= max(float(chance.sum()), 1e-12)
        linked = (found.values[:, [FEATURES.index(name) for name in LINKS]] > 0).any(axis=1)
        others = np.flatnonzero(linked & (found.values[:, FEATURES.index("since")] < 0))
        best = others[np.argsort(-chance[others], kind="stable")[:k]]
        return found.product[best], chance[best].astype(np.float32)

    def _rank(self, contexts: Contexts, k: int) -> tuple[Longs, Ints, Floats]:
        filled = np.flatnonzero(np.diff(contexts.indptr))
        popular = np.argsort(-self._statistics.lately, kind="stable")[:k].astype(np.int32)
        row = np.repeat(np.setdiff1d(np.arange(len(contexts)), filled), len(popular))
        product = np.tile(popular, len(row) // max(len(popular), 1))
        score = self._statistics.lately[product]
        if len(filled):
            sizes = np.diff(contexts.indptr)[filled]
            asked = Contexts(np.concatenate([[0], np.cumsum(sizes)]), contexts.product)
            found = pairs(self._statistics, asked)
            row = np.concatenate([row, filled[found.row]])
            product = np.concatenate([product, found.product])
            score = np.concatenate([score, score_of(found, self._booster)])
        order = np.lexsort((-score, row))
        order = order[np.arange(len(order)) - np.searchsorted(row[order], row[order]) < k]
        sizes = np.bincount(row[order], minlength=len(contexts)).astype(np.int64)
        return sizes, product[order].astype(np.int32), score[order].astype(np.float32)


def score_of(found: Pairs, booster: lgb.Booster | None) -> Floats:
    """The ranker's score, or the plain one."""
    if booster is None:
        return plain_score(found.values)
    return np.asarray(booster.predict(found.values, num_threads=1), np.float32)


def hits(found: Pairs, score: Floats, truth: Ints, k: int = AT) -> tuple[float, float]:
    """Share of contexts whose next look is among the first k, and the mean of 1/rank there."""
    order = np.lexsort((-score, found.row))
    row = found.row[order]
    rank = np.arange(len(order)) - np.searchsorted(row, row)
    right = (found.product[order] == truth[row]) & (rank < k)
    return float(right.sum() / len(truth)), float((1.0 / (rank[right] + 1)).sum() / len(truth))


def _choose(
    statistics: SessionStatistics, learn: tuple[Contexts, Ints], judge: tuple[Contexts, Ints], seed: int
) -> tuple[str, str, dict[str, Any]]:
    """The text of the better ranker, what it is, and what each came to on the sessions it was judged on."""
    known, asked = _batched(statistics, learn[0]), _batched(statistics, judge[0])
    label = known.product == learn[1][known.row]
    plain = hits(asked, plain_score(asked.values), judge[1])
    judged: dict[str, Any] = {"plain": plain}
    best, text, chosen = sum(plain), "", "plain"
    with ThreadPoolExecutor(len(OBJECTIVES)) as workers:
        grown = list(workers.map(lambda objective: _grown(known, label, objective, seed), OBJECTIVES))
    for objective, booster in zip(OBJECTIVES, grown, strict=True):
        score = np.zeros(len(asked.row), np.float32)
        for rounds in range(STEP, ROUNDS + 1, STEP):
            score += np.asarray(
                booster.predict(
                    asked.values, start_iteration=rounds - STEP, num_iteration=STEP, raw_score=True, num_threads=1
                ),
                np.float32,
            )
            judged[f"{objective} {rounds}"] = reached = hits(asked, score, judge[1])
            if sum(reached) > best:
                best, chosen = sum(reached), f"{objective} {rounds}"
                text = booster.model_to_string(num_iteration=rounds)
    return text, chosen, judged


def _grown(known: Pairs, label: Flags, objective: str, seed: int) -> lgb.Booster:
    data = lgb.Dataset(
        known.values, label, feature_name=list(FEATURES), free_raw_data=True,
        group=np.bincount(known.row) if objective == "lambdarank" else None,
    )  # fmt: skip
    return lgb.train(PARAMETERS | {"objective": objective, "seed": seed}, data, ROUNDS)


def _batched(statistics: SessionStatistics, contexts: Contexts) -> Pairs:
    starts = range(0, len(contexts), BATCH)
    parts = [(start, pairs(statistics, contexts.part(start, min(start + BATCH, len(contexts))))) for start in starts]
    return Pairs(
        np.concatenate([part.row + start for start, part in parts]),
        np.concatenate([part.product for _, part in parts]),
        np.concatenate([part.values for _, part in parts]),
    )
