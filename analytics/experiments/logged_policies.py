"""The policies that chose suggestions, each valued from the logs of the others.

A policy's choice probabilities are read off its own log as a table over rank and product: the harmonic mean of the
propensities logged for a pair is its average over all contexts, as long as the policy could show the pair in each of
them. Where that table does not sum to one per rank, the policy chose by context, the table is not the policy, and the
verdict is «no_overlap» instead of a number to rely on.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, Float, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from analytics.experiments.arms import CONTROLS
from analytics.experiments.off_policy import evaluate_policy
from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from journey.outcomes import Confirmation, Outcome
from journey.suggestions import Suggestion

PRIOR_ROWS = 50.0  # rows of the mean reward that a product's own mean is blended with
MASS_TOLERANCE = 0.2
LOG_SCHEMA = {
    "policy": TEXT,
    "product_id": TEXT,
    "rank": WHOLE,
    "fold": WHOLE,
    "propensity": REAL,
    "n": WHOLE,
    "rewards": REAL,
}


def policy_log(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Return the log added up to policy, product, rank, fold and propensity, with n and rewards (bought)."""
    bought = or_(Outcome.result == "bought", Confirmation.suggestion_id.is_not(None))
    policy = func.coalesce(Suggestion.policy, Suggestion.model, "logged")
    minute = cast(Suggestion.shown_at, BigInteger) // 60_000_000
    key = (policy, Suggestion.product_id, Suggestion.rank, minute % 2, cast(Suggestion.propensity, Float))
    statement = (
        select(*key, func.count(), func.sum(case((bought, 1.0), else_=0.0)))
        .select_from(Suggestion)
        .outerjoin(
            Outcome,
            and_(Outcome.suggestion_id == Suggestion.suggestion_id, Outcome.current, Outcome.retracted_at.is_(None)),
        )
        .outerjoin(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .where(
            Period.of(start, end).covers(Suggestion.shown_at),
            Suggestion.propensity > 0,
            Suggestion.propensity <= 1,
            func.coalesce(Suggestion.arm, "").not_in(CONTROLS),
        )
        .group_by(*key)
    )
    if store is not None:
        statement = statement.where(Suggestion.store_id == store)
    return query_frame(session, statement, LOG_SCHEMA)


def policy_values(log: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row per policy of *log* (LOG_SCHEMA), valued on the rows of all other policies.

    A policy that is alone in the log is valued on its own rows, where every weight is one. `on_policy` is the mean
    reward of its own rows beside it, `n` the rows it is valued on.
    """
    return [_value(log, str(name)) for name in log["policy"].unique().sort()]


def _value(log: pl.DataFrame, name: str) -> dict[str, Any]:
    own, others = log.filter(policy=name), log.filter(pl.col("policy") != name)
    on_policy = float(own["rewards"].sum()) / max(int(own["n"].sum()), 1)
    if others.is_empty():
        rows, target, mass, expected = own, own["propensity"].to_numpy(), 1.0, None
    else:
        table = own.group_by("rank", "product_id").agg(
            target=pl.col("n").sum() / (pl.col("n") / pl.col("propensity")).sum(), shown=pl.col("n").sum()
        )
        mass = _mass(table)
        rows = others.join(table, on=["rank", "product_id"], how="left").with_columns(pl.col("target").fill_null(0.0))
        target = rows["target"].to_numpy()
        expected = _reward_model(rows, table)
    bought = rows["rewards"].to_numpy()
    missed = rows["n"].to_numpy() - bought
    seen = 0.0 if others.is_empty() else _unseen(rows, table)
    value = evaluate_policy(
        np.concatenate([np.ones_like(bought), np.zeros_like(bought)]),
        np.tile(rows["propensity"].to_numpy(), 2),
        np.tile(target, 2),
        expected_logged=None if expected is None else np.tile(expected[0], 2),
        expected_target=None if expected is None else np.tile(expected[1], 2),
        count=np.concatenate([bought, missed]),
        missing_mass=seen,
    )
    by_context = abs(mass - 1) > MASS_TOLERANCE
    return {
        "policy": name,
        "ipw": value.ipw,
        "snipw": value.snipw,
        "dm": value.dm,
        "dr": value.dr,
        "low": value.low,
        "high": value.high,
        "ess": value.ess,
        "max_weight": value.max_weight,
        "verdict": "no_overlap" if by_context else value.verdict,
        "n": int(value.n),
        "on_policy": on_policy,
        "chooses_by_context": by_context,
    }


def _mass(table: pl.DataFrame) -> float:
    """Return what a policy's table sums to per rank, averaged over ranks by rows."""
    ranks = table.group_by("rank").agg(pl.col("target").sum(), pl.col("shown").sum())
    return float((ranks["target"] * ranks["shown"]).sum()) / max(float(ranks["shown"].sum()), 1.0)


def _unseen(rows: pl.DataFrame, table: pl.DataFrame) -> float:
    """Return the part of a policy's choices that the other policies never showed at that rank."""
    shown = rows.select("rank", "product_id").unique()
    missing = float(table.join(shown, on=["rank", "product_id"], how="anti")["target"].sum())
    return missing / max(float(table["target"].sum()), 1e-12)


def _reward_model(rows: pl.DataFrame, table: pl.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the model's reward of each row's product, and its mean over the policy's choices at that rank.

    A product's mean is blended with the mean of all, and taken from the other half of the log (the fold), so that no
    row is its own evidence.
    """
    overall = float(rows["rewards"].sum()) / max(float(rows["n"].sum()), 1.0)
    means = rows.group_by("fold", "product_id").agg(pl.col("n", "rewards").sum()).select(
        "product_id",
        fold=1 - pl.col("fold"),
        q=(pl.col("rewards") + PRIOR_ROWS * overall) / (pl.col("n") + PRIOR_ROWS),
    )  # fmt: skip
    q = rows.join(means, on=["fold", "product_id"], how="left", maintain_order="left")["q"].fill_null(overall)
    folds = pl.DataFrame({"fold": [0, 1]}, schema={"fold": pl.Int64})
    per_rank = (
        table.join(folds, how="cross")
        .join(means, on=["fold", "product_id"], how="left")
        .group_by("fold", "rank")
        .agg(v=(pl.col("q").fill_null(overall) * pl.col("target")).sum() / pl.col("target").sum())
    )
    v = rows.join(per_rank, on=["fold", "rank"], how="left", maintain_order="left")["v"].fill_null(overall)
    return q.to_numpy(), v.to_numpy()
