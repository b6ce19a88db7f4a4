"""Survey answers as one frame, with scores on 0–100 and codes such as −99 taken out."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import BigInteger, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.surveys import Answer

HEAD, HEART = "rational_", "emotional_"

_KNOWN_SCALES = {"nps": (0.0, 10.0)}
_USUAL_SCALES = ((1.0, 5.0), (1.0, 7.0), (1.0, 10.0), (0.0, 10.0), (0.0, 100.0))


def answer_sheets(session: Session, period: Period, *, store: str | None = None) -> pl.DataFrame:
    """One row per answered question of a sheet, see scaled_answers for the columns."""
    chosen = period.covers(Answer.answered_at)
    if store is not None:
        chosen = chosen & (Answer.store_id == store)
    statement = select(
        Answer.response_id,
        Answer.question,
        Answer.touchpoint,
        Answer.customer_id,
        Answer.store_id,
        type_coerce(Answer.asked_at, BigInteger),
        type_coerce(Answer.answered_at, BigInteger),
        Answer.score,
        Answer.scale_min,
        Answer.scale_max,
        Answer.comment,
        Answer.survey_id,
    ).where(chosen)
    schema = {
        "response_id": TEXT,
        "question": TEXT,
        "touchpoint": TEXT,
        "customer_id": TEXT,
        "store_id": TEXT,
        "asked_at": WHOLE,
        "answered_at": WHOLE,
        "raw": REAL,
        "scale_min": REAL,
        "scale_max": REAL,
        "comment": TEXT,
        "survey_id": TEXT,
    }
    return scaled_answers(query_frame(session, statement, schema))


def scaled_answers(answers: pl.DataFrame) -> pl.DataFrame:
    """Answers with ``score`` on 0–100 and ``person`` added.

    answers: response_id, question, raw, scale_min, scale_max, and customer_id where known. ``score`` is
    100 (raw − min) / (max − min); null where raw lies outside its scale, as codes for "don't know" do. A row without a
    usable scale takes the one its question mostly has, else the usual one that fits the question's answers. ``ten`` is
    the same on 0–10, left as given where the scale ends at 10 (NPS). ``person`` is the customer, else the sheet.
    """
    scale = pl.col("scale_max") > pl.col("scale_min")
    stated = answers.filter(scale).group_by("question", "scale_min", "scale_max").len().sort("len", "scale_max")
    usual = {row["question"]: (row["scale_min"], row["scale_max"]) for row in stated.iter_rows(named=True)}
    bare = answers.filter(scale.fill_null(False).not_() & (pl.col("raw") >= 0))
    for question, raws in bare.group_by("question").agg(pl.col("raw")).iter_rows():
        usual.setdefault(question, _KNOWN_SCALES.get(question) or _fitting_scale(raws))
    low = pl.col("question").replace_strict({q: s[0] for q, s in usual.items()}, default=None, return_dtype=pl.Float64)
    high = pl.col("question").replace_strict({q: s[1] for q, s in usual.items()}, default=None, return_dtype=pl.Float64)
    floor, ceiling = pl.when(scale).then("scale_min").otherwise(low), pl.when(scale).then("scale_max").otherwise(high)
    marked = answers.with_columns(_floor=floor, _ceiling=ceiling)
    inside = pl.col("raw").is_between(pl.col("_floor"), pl.col("_ceiling"))
    share = (pl.col("raw") - pl.col("_floor")) / (pl.col("_ceiling") - pl.col("_floor"))
    return marked.with_columns(
        score=pl.when(inside).then(100.0 * share),
        ten=pl.when(inside).then(pl.when(pl.col("_ceiling") == 10.0).then(pl.col("raw")).otherwise(10.0 * share)),
        person=pl.coalesce(pl.lit("c:") + pl.col("customer_id"), pl.lit("r:") + pl.col("response_id")),
    ).drop("_floor", "_ceiling")


def _fitting_scale(raws: list[float]) -> tuple[float, float]:
    """The narrowest usual scale that holds nearly all of the answers (a stray code may lie outside)."""
    values = np.asarray(raws)
    for low, high in _USUAL_SCALES:
        if np.mean((values >= low) & (values <= high)) >= 0.98:
            return low, high
    return _USUAL_SCALES[-1]


def sheet_matrix(
    outcome: pl.DataFrame, touchpoints: pl.DataFrame
) -> tuple[NDArray[Any], NDArray[np.float64], list[str], NDArray[np.float64]]:
    """Sheets × touchpoints for the analysis of drivers.

    outcome: response_id, kgi, person. touchpoints: response_id, touchpoint, score. Returns people (n,), the KGI (n,),
    the names (p,), and scores (n, p) with NaN for what a sheet does not answer.
    """
    scored = touchpoints.filter(pl.col("score").is_not_null() & (pl.col("touchpoint") != ""))
    names = sorted(scored["touchpoint"].unique())
    outcome = outcome.sort("response_id")
    table = np.full((outcome.height, len(names)), np.nan)
    if names and outcome.height:
        place = outcome.select("response_id").with_row_index("row")
        means = scored.join(place, on="response_id").group_by("row", "touchpoint").agg(pl.col("score").mean())
        columns = means["touchpoint"].replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
        table[means["row"].to_numpy(), columns.to_numpy()] = means["score"].to_numpy()
    return outcome["person"].to_numpy(), outcome["kgi"].to_numpy(), names, table
