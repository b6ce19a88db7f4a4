"""Who buys because of the proposal: an X-learner on the randomised hold-out (Künzel et al. 2019).

The hold-out is small, so what would be bought unasked is learnt in two steps: boosted trees over the rows of both arms
order them (they know due dates, tastes, popularity), and a small logistic curve through the hold-out alone brings that
order down to what is bought without a proposal. The effect is then learnt from the treated rows, whose target is what
was bought less what would have been bought anyway; only there can a customer's own answers to earlier proposals speak.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from journey.errors import NotEnoughData
from recommender.uplift_rows import ANSWERS, ROW_FEATURES, matrix

Numbers = NDArray[np.float64]
ALL_FEATURES = (*ROW_FEATURES, *ANSWERS)
FEWEST_ROWS, FEWEST_BOUGHT = 500, 40
"""Hold-out rows, and purchases among them, below which no effect can be told from chance."""
ORDER_ROUNDS, EFFECT_ROUNDS = 120, 120
EDGE = 1e-4
DAY = 86_400_000_000
ANCHORS = ("unasked_rate", "unasked_new_rate", "is_new", "due")


@dataclass(frozen=True)
class Effects:
    """Per row the chance of a purchase with a proposal, without one, and the difference."""

    proposed: Numbers
    unasked: Numbers
    uplift: Numbers


@dataclass(frozen=True)
class UpliftModel:
    """`order` ranks rows of both arms, `unasked` is the curve through the hold-out, `effect` the learnt difference."""

    order: lgb.Booster
    unasked: LogisticRegression
    centre: Numbers
    scale: Numbers
    effect: lgb.Booster
    treated_rows: int
    control_rows: int

    def predict(self, rows: pl.DataFrame) -> Effects:
        """The effects of proposing, for rows with the features of `uplift_rows`."""
        alone = self.bought_unasked(matrix(rows, ROW_FEATURES))
        uplift = np.asarray(self.effect.predict(matrix(rows, ALL_FEATURES), num_threads=1), np.float64)
        return Effects(np.clip(alone + uplift, 0, 1), alone, uplift)

    def bought_unasked(self, features: Numbers) -> Numbers:
        """The chance of a purchase without a proposal; rows × ROW_FEATURES."""
        anchored = (_anchors(self.order, features) - self.centre) / self.scale
        return np.asarray(self.unasked.predict_proba(anchored)[:, 1], np.float64)


def enough_for_uplift(rows: pl.DataFrame) -> bool:
    """Whether the hold-out can tell an effect from chance."""
    control = rows.filter(~pl.col("treated"))
    bought = int(control["bought"].sum())
    return len(control) >= FEWEST_ROWS and FEWEST_BOUGHT <= bought < len(control)


def fit_uplift(rows: pl.DataFrame, *, seed: int = 0) -> UpliftModel:
    """Learn from rows of both arms (`uplift_rows`); the same rows and seed give the same model.

    Raises:
        NotEnoughData: the hold-out has too few rows or purchases.
    """
    if not enough_for_uplift(rows) or not rows["treated"].any():
        raise NotEnoughData(
            "too little is known of customers to whom nothing was shown",
            where="hold-out",
            what_to_do="set OSUSUME_HOLDOUT to .05 or more and wait for purchases",
        )
    treated, bought = rows["treated"].to_numpy(), rows["bought"].to_numpy().astype(np.float64)
    known = matrix(rows, ROW_FEATURES)
    order = _boosted(known, bought, "binary", ORDER_ROUNDS, seed)
    anchors = _anchors(order, known[~treated])
    centre, scale = anchors.mean(axis=0), np.maximum(anchors.std(axis=0), 1e-6)
    unasked = LogisticRegression(C=1.0).fit((anchors - centre) / scale, bought[~treated])
    alone = unasked.predict_proba((_anchors(order, known[treated]) - centre) / scale)[:, 1]
    everything = matrix(rows.filter("treated"), ALL_FEATURES)
    effect = _boosted(everything, bought[treated] - alone, "regression", EFFECT_ROUNDS, seed)
    return UpliftModel(order, unasked, centre, scale, effect, int(treated.sum()), int((~treated).sum()))


def fit_acceptance(rows: pl.DataFrame, *, seed: int = 0) -> lgb.Booster:
    """The chance that a shown product is bought, whatever the reason: the list to which uplift is an alternative."""
    shown = rows.filter("treated")
    return _boosted(matrix(shown, ALL_FEATURES), shown["bought"].to_numpy().astype(np.float64), "binary", 150, seed)


def acceptance(model: lgb.Booster, rows: pl.DataFrame) -> Numbers:
    """That chance for rows with the features of `uplift_rows`."""
    return np.asarray(model.predict(matrix(rows, ALL_FEATURES), num_threads=1), np.float64)


@dataclass(frozen=True)
class Backtest:
    """The later part of the log, scored by what was learnt before: who was treated, who bought, and both orders."""

    treated: NDArray[np.bool_]
    bought: NDArray[np.bool_]
    uplift: Numbers
    probability: Numbers


def backtest(rows: pl.DataFrame, *, share: float = 0.65, seed: int = 0) -> Backtest | None:
    """Learn from the first `share` of the rows in time, score the rest; None where the hold-out is too small."""
    cut = rows["at"].quantile(share)
    past = rows.filter(pl.col("at") < (cut or 0) - DAY)
    later = rows.filter(pl.col("at") >= (cut or 0))
    if not enough_for_uplift(past) or not later["treated"].any() or later["treated"].all():
        return None
    return Backtest(
        later["treated"].to_numpy(), later["bought"].to_numpy(), fit_uplift(past, seed=seed).predict(later).uplift,
        acceptance(fit_acceptance(past, seed=seed), later),
    )  # fmt: skip


def _boosted(features: Numbers, target: Numbers, objective: str, rounds: int, seed: int) -> lgb.Booster:
    """Small trees, slowly: effects are faint."""
    parameters = {
        "objective": objective, "num_leaves": 8, "learning_rate": 0.05, "lambda_l2": 5.0,
        "min_data_in_leaf": int(np.clip(len(target) // 300, 20, 200)), "feature_fraction": 0.7,
        "bagging_fraction": 0.7, "bagging_freq": 1, "num_threads": 1, "deterministic": True, "force_row_wise": True,
        "seed": seed, "verbosity": -1,
    }  # fmt: skip
    return lgb.train(parameters, lgb.Dataset(features, target), num_boost_round=rounds)


def _anchors(order: lgb.Booster, features: Numbers) -> Numbers:
    """What the curve of unasked purchases rests on: the logit of the order, and a few plain facts."""
    p = np.clip(np.asarray(order.predict(features, num_threads=1)), EDGE, 1 - EDGE)
    plain = [features[:, ROW_FEATURES.index(name)] for name in ANCHORS]
    return np.column_stack([np.log(p / (1 - p)), *plain])
