"""Which proposals were put to customers and what came of them, as known before a moment."""

from datetime import datetime

import numpy as np
import polars as pl

from recommender.acceptance import Answered
from recommender.columns import OCCURRED_AT, PROBABILITY, SCORE, SOURCE
from recommender.dataset import known_before
from recommender.requests import EXPLORE

SUGGESTION = "suggestion_id"
RESULT = "result"
KIND = "kind"
ACCEPTED = "bought"
UNSAID = "not_proposed"


def answered_before(suggestions: pl.DataFrame, outcomes: pl.DataFrame, as_of: datetime) -> Answered:
    """From the record's suggestions (suggestion_id, score, probability, kind, source) and outcomes (suggestion_id,
    occurred_at, result).

    The last outcome of a suggestion before `as_of` counts; proposals the clerk never made do not. Our own are told by
    their probability; their score is the purchase chance stated when they were shown. Of others only the count is used.
    """
    known = known_before(outcomes, OCCURRED_AT, as_of).sort(OCCURRED_AT)
    last = known.group_by(SUGGESTION, maintain_order=True).last().filter(pl.col(RESULT) != UNSAID)
    joined = last.join(suggestions, on=SUGGESTION).sort(OCCURRED_AT, SUGGESTION)
    joined = joined.with_columns(accepted=pl.col(RESULT) == ACCEPTED)
    ours = pl.col(PROBABILITY).is_not_null() & pl.col(SCORE).is_between(0, 1)
    own, others = joined.filter(ours), joined.filter(ours.not_())
    return Answered(
        own[SCORE].to_numpy().astype(np.float32),
        (own[KIND] == EXPLORE).fill_null(value=False).to_numpy(),
        (own[SOURCE] == "web").fill_null(value=False).to_numpy(),
        own["accepted"].to_numpy(),
        (others.height, int(others["accepted"].sum())),
    )
