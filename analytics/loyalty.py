"""Loyalty of head and heart: scores per customer, their reliability, and the four fields they span."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from analytics.answers import HEAD, HEART
from analytics.rates import rate

SATISFIED = 75.0
"""Where high begins on 0–100: a 4 of 5, an 8 of 10; the least that means "satisfied" on the usual scales."""

_LOPSIDED = 0.1


def cronbach_alpha(items: ArrayLike) -> float | None:
    """Reliability (internal consistency) of the sum of k items.

    items: (n, k), NaN where not answered; variances and covariances come from the sheets that answer both items.
    None with fewer than two items, three sheets, or without variance. Source: Cronbach, Psychometrika 16(3), 1951.
    """
    x = np.asarray(items, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2:
        return None
    seen = ~np.isnan(x)
    k = x.shape[1]
    covariance = np.empty((k, k))
    for i in range(k):
        for j in range(i, k):
            both = seen[:, i] & seen[:, j]
            if both.sum() < 3:
                return None
            covariance[i, j] = covariance[j, i] = np.cov(x[both, i], x[both, j])[0, 1]
    total = covariance.sum()
    if total <= 0:
        return None
    return float(k / (k - 1) * (1 - np.trace(covariance) / total))


def items_of(sheets: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """One row per sheet, one column per question that begins with prefix (after ``response_id`` and ``person``).

    sheets: response_id, person, question, score (0–100 or null).
    """
    chosen = sheets.filter(pl.col("question").str.starts_with(prefix) & pl.col("score").is_not_null())
    if chosen.is_empty():
        return chosen.select("response_id", "person")
    return chosen.pivot("question", index=["response_id", "person"], values="score", aggregate_function="mean")


def alpha_of(sheets: pl.DataFrame, prefix: str) -> float | None:
    """Cronbach's α of the questions that begin with prefix."""
    items = items_of(sheets, prefix).drop("response_id", "person")
    return cronbach_alpha(items.to_numpy()) if items.width > 1 and items.height else None


def person_scores(sheets: pl.DataFrame, question: str, *, prefix: bool = False) -> pl.DataFrame:
    """Each person's mean score on a question (or on all questions with that prefix): person, score.

    Questions count alike: the mean is taken per question first, then over questions.
    """
    named = pl.col("question").str.starts_with(question) if prefix else pl.col("question") == question
    chosen = sheets.filter(named & pl.col("score").is_not_null())
    by_question = chosen.group_by("person", "question").agg(pl.col("score").mean())
    return by_question.group_by("person").agg(pl.col("score").mean()).sort("person")


def head_and_heart(sheets: pl.DataFrame) -> pl.DataFrame:
    """Persons who answered for both: person, head, heart (0–100)."""
    head = person_scores(sheets, HEAD, prefix=True).rename({"score": "head"})
    heart = person_scores(sheets, HEART, prefix=True).rename({"score": "heart"})
    return head.join(heart, on="person").sort("person")


@dataclass(frozen=True)
class Lines:
    """Where high begins for head and heart (0–100), and whether the fixed line had to give way to the median."""

    head: float
    heart: float
    moved: tuple[str, ...]


def field_lines(scores: pl.DataFrame, satisfied: float = SATISFIED) -> Lines:
    """The lines between the fields: ``satisfied``, or the median where nearly all stand on one side of it.

    scores: head, heart.
    """
    places, moved = {}, []
    for part in ("head", "heart"):
        values = scores[part]
        share = float((values >= satisfied).mean() or 0.0) if scores.height else 0.5  # type: ignore[arg-type]
        lopsided = scores.height >= 20 and not _LOPSIDED <= share <= 1 - _LOPSIDED
        places[part] = float(np.median(values.to_numpy())) if lopsided else satisfied
        if lopsided:
            moved.append(part)
    return Lines(places["head"], places["heart"], tuple(moved))


def loyalty_fields(scores: pl.DataFrame, behaviour: pl.DataFrame, lines: Lines) -> list[dict[str, object]]:
    """The four fields head × heart with what their customers do.

    scores: person, head, heart. behaviour: person, purchase_days, spend, churned (null where unknown), and value (the
    lifetime value, if known); persons
    without a row bought nothing in the period. Rates are over the customers with at least one purchase day:
    repeat_rate the share with a second one, churn the share gone silent; spend the mean net sales per customer of the
    field in the chain's currency.
    """
    joined = scores.join(behaviour, on="person", how="left").with_columns(
        head_high=pl.col("head") >= lines.head,
        heart_high=pl.col("heart") >= lines.heart,
        purchase_days=pl.col("purchase_days").fill_null(0),
        spend=pl.col("spend").fill_null(0.0),
    )
    fields: list[dict[str, object]] = []
    for head, heart in ((True, True), (True, False), (False, True), (False, False)):
        part = joined.filter((pl.col("head_high") == head) & (pl.col("heart_high") == heart))
        buyers = part.filter(pl.col("purchase_days") > 0)
        repeat = rate(buyers.filter(pl.col("purchase_days") > 1).height, buyers.height)
        known = buyers.filter(pl.col("churned").is_not_null())
        churn = rate(known.filter("churned").height, known.height)
        fields.append(
            {
                "head": "high" if head else "low",
                "heart": "high" if heart else "low",
                "customers": part.height,
                "repeat_rate": repeat.value if repeat else None,
                "repeat_low": repeat.low if repeat else None,
                "repeat_high": repeat.high if repeat else None,
                "spend": _mean(part, "spend"),
                "churn": churn.value if churn else None,
                "churn_low": churn.low if churn else None,
                "churn_high": churn.high if churn else None,
                "buyers": buyers.height,
                "lifetime_value": _mean(part, "value"),
            }
        )
    return fields


def _mean(part: pl.DataFrame, column: str) -> float | None:
    known = part[column].drop_nulls().to_numpy() if column in part.columns else np.empty(0)
    return float(known.mean()) if known.size else None


def heart_premium(
    scores: pl.DataFrame, behaviour: pl.DataFrame, lines: Lines, *, repeats: int = 1000, seed: int = 0
) -> dict[str, float | int | None]:
    """How much more those satisfied in head and heart spend than those satisfied in the head only.

    ``ratio`` of mean spend with a percentile bootstrap interval; the literature's figure is 1.25–2.00 (Fleming, Coffman
    and Harter, Harvard Business Review 83(7), 2005). None where either side has fewer than ten customers.
    """
    joined = scores.filter(pl.col("head") >= lines.head).join(behaviour, on="person", how="left")
    spend = joined["spend"].fill_null(0.0).to_numpy()
    heart = (joined["heart"] >= lines.heart).to_numpy()
    both, only = spend[heart], spend[~heart]
    empty: dict[str, float | int | None] = {"ratio": None, "low": None, "high": None}
    if min(both.size, only.size) < 10 or only.mean() <= 0:
        return empty | {"n": int(spend.size)}
    draw = np.random.default_rng(seed)
    top = draw.choice(both, (repeats, both.size)).mean(axis=1)
    bottom = draw.choice(only, (repeats, only.size)).mean(axis=1)
    kept = bottom > 0
    low, high = np.percentile(top[kept] / bottom[kept], [2.5, 97.5])
    return {"ratio": float(both.mean() / only.mean()), "low": float(low), "high": float(high), "n": int(spend.size)}
