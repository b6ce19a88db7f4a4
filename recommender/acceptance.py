"""Probability that a proposal is accepted, learnt from what came of the proposals that were shown."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from recommender.baskets import Flags, Floats
from recommender.calibration import platt
from recommender.columns import OCCURRED_AT, SCORE
from recommender.dataset import known_before
from recommender.metrics import expected_calibration_error

SUGGESTION = "suggestion_id"
RESULT = "result"
ACCEPTED = "bought"
UNSAID = "not_proposed"
EDGE = 1e-4
FEWEST = 30


@dataclass(frozen=True)
class Acceptance:
    """A logistic curve from the stated probability of purchase to the rate at which proposals are accepted.

    `error` is the calibration error on the latest fifth of the outcomes of a curve through the earlier ones; NaN
    where there are too few. With few outcomes the curve stays close to the stated probability.
    """

    intercept: float
    slope: float
    outcomes: int
    error: float

    @classmethod
    def learnt(cls, probability: Floats, accepted: Flags) -> "Acceptance":
        """From outcomes in order of time."""
        logit = _logit(probability)
        held = len(accepted) // 5
        error = float("nan")
        if held >= FEWEST:
            before = platt(logit[:-held], accepted[:-held])
            early = cls(float(before[0]), float(before[1]), len(accepted) - held, error)
            error = expected_calibration_error(early(probability[-held:]), accepted[-held:], bins=10)
        intercept, slope = platt(logit, accepted)
        return cls(float(intercept), float(slope), len(accepted), error)

    def __call__(self, probability: Floats) -> Floats:
        """The chance that a proposal with this probability of purchase is accepted."""
        told = self.intercept + self.slope * _logit(probability)
        return np.asarray(1 / (1 + np.exp(-np.clip(told, -30, 30))), np.float32)


def _logit(probability: Floats) -> Floats:
    inside = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)), np.float32)


def acceptance_of(suggestions: pl.DataFrame, outcomes: pl.DataFrame, as_of: datetime) -> Acceptance:
    """From the extract's suggestions (suggestion_id, score as probability) and outcomes known before `as_of`.

    The last outcome of a suggestion counts; proposals the clerk never made, and scores that are no probability, do not.
    """
    known = known_before(outcomes, OCCURRED_AT, as_of).sort(OCCURRED_AT)
    last = known.group_by(SUGGESTION, maintain_order=True).last().filter(pl.col(RESULT) != UNSAID)
    shown = suggestions.select(SUGGESTION, pl.col(SCORE).cast(pl.Float32, strict=False))
    joined = last.join(shown, on=SUGGESTION).filter(pl.col(SCORE).is_between(0, 1)).sort(OCCURRED_AT)
    accepted = joined.select(pl.col(RESULT) == ACCEPTED).to_series().to_numpy()
    return Acceptance.learnt(joined[SCORE].to_numpy().astype(np.float32), accepted)
