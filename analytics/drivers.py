"""What moves the KGI: the influence of each touchpoint on the whole, with intervals, and what to do first.

Question: of the differences between people in the KGI (by default their satisfaction with the company as a whole),
how much goes with their satisfaction at each touchpoint? Estimate: LMG and Johnson shares of R² from the
maximum-likelihood covariance. Interval: percentile bootstrap over persons. What would make it wrong: answers that are
missing because of what they would have said; a KGI that colours the touchpoint answers (halo), which no survey of one
moment can separate; a touchpoint that everybody finds equally good, whose influence cannot show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sqlalchemy.orm import Session

from analytics.answers import HEAD, HEART, answer_sheets, sheet_matrix
from analytics.driver_order import Order, order_of
from analytics.missing_answers import Moments, Patterns, correlation, joint_counts, maximum_likelihood_moments
from analytics.period import Period
from analytics.relative_importance import EXACT_UP_TO, lmg, relative_weights
from journey.stores import DEFAULT_TIMEZONE

Floats = NDArray[np.float64]

LEAST_JOINT = 20
"""Answers that a touchpoint needs together with the KGI, and the sheets per question below which we do not speak."""


@dataclass(frozen=True)
class Driver:
    """One touchpoint's share of R² (lmg with low/high, johnson), its standardised slope, its mean score, its field.

    order: how certain its place among the others is; None where nothing could be drawn.
    """

    name: str
    lmg: float
    low: float | None
    high: float | None
    johnson: float
    slope: float
    performance: float
    n: int
    field: str
    order: Order | None


@dataclass(frozen=True)
class DriverAnalysis:
    """R² of all drivers together, the sheets used, the drivers by falling influence, and what to keep in mind."""

    r2: float | None
    n: int
    drivers: tuple[Driver, ...]
    notes: tuple[str, ...]


def driver_analysis(
    answers: ArrayLike,
    outcome: ArrayLike,
    names: Sequence[str],
    *,
    people: ArrayLike | None = None,
    repeats: int = 500,
    seed: int = 0,
) -> DriverAnalysis:
    """Influence of p touchpoints on an outcome.

    answers: (n, p) scores, NaN where not answered (codes such as −99 must have been made NaN). outcome: (n,) the KGI;
    rows without it are left out. people: (n,) who filled each sheet; the bootstrap draws persons, not sheets. repeats:
    bootstrap draws; 0 gives no intervals. A touchpoint with fewer than LEAST_JOINT answers or without differences
    between people is left out and named in the notes.
    """
    x, y = np.asarray(answers, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    kept = ~np.isnan(y)
    x, y = x[kept].reshape(int(kept.sum()), len(names)), y[kept]
    who = np.arange(y.size) if people is None else np.asarray(people)[kept]
    notes: list[str] = []
    usable = [j for j in range(len(names)) if _speaks(x[:, j], names[j], notes)]
    if y.size < LEAST_JOINT or not usable or np.ptp(y) == 0.0:
        notes.append(
            f"Influence is not estimated: {y.size} answers to the KGI and {len(usable)} usable touchpoints."
            " That is too few."
        )
        return DriverAnalysis(None, int(y.size), (), tuple(notes))
    x = x[:, usable]
    table = np.column_stack([y, x])
    patterns = Patterns.of(table)
    moments = maximum_likelihood_moments(patterns)
    notes += _cautions(table, [names[j] for j in usable], moments)
    matrix = correlation(moments.covariance)
    shares = lmg(matrix[1:, 1:], matrix[1:, 0])
    johnson = relative_weights(matrix[1:, 1:], matrix[1:, 0])
    slopes = np.linalg.pinv(matrix[1:, 1:]) @ matrix[1:, 0]
    draws = _bootstrap_shares(patterns, moments, who, repeats, seed)
    low, high = (None, None) if draws is None else np.percentile(draws, [2.5, 97.5], axis=0)
    order = [None] * len(usable) if draws is None else order_of(shares, draws)
    performance = np.nanmean(x, axis=0)
    fields = priority_fields(performance, shares)
    rows = [
        Driver(
            names[usable[j]],
            float(shares[j]),
            None if low is None else float(low[j]),
            None if high is None else float(high[j]),
            float(johnson[j]),
            float(slopes[j]),
            float(performance[j]),
            int((~np.isnan(x[:, j])).sum()),
            fields[j],
            order[j],
        )
        for j in range(len(usable))
    ]
    rows.sort(key=lambda driver: -driver.lmg)
    return DriverAnalysis(float(shares.sum()), int(y.size), tuple(rows), tuple(notes))


def priority_fields(performance: ArrayLike, influence: ArrayLike) -> list[str]:
    """The field of each touchpoint on the map of performance against influence.

    ``keep``: strong influence, good marks; ``improve_first``: strong influence, poor marks; ``watch``: weak influence,
    poor marks; ``leave``: weak influence, good marks. The lines are the means of the touchpoints, so that the map says
    where to begin, not how good we are. Source: Martilla and James, Journal of Marketing 41(1), 1977.
    """
    marks, weight = np.asarray(performance, dtype=np.float64), np.asarray(influence, dtype=np.float64)
    if marks.size == 0:
        return []
    good, strong = marks >= marks.mean(), weight >= weight.mean()
    names = {(True, True): "keep", (True, False): "improve_first", (False, False): "watch", (False, True): "leave"}
    return [names[bool(s), bool(g)] for s, g in zip(strong, good, strict=True)]


def _speaks(column: Floats, name: str, notes: list[str]) -> bool:
    given = column[~np.isnan(column)]
    if given.size < LEAST_JOINT:
        notes.append(f"{name}: {given.size} answers are too few to tell its influence.")
        return False
    if np.ptp(given) == 0.0:
        notes.append(f"{name}: everybody gave the same answer, so that its influence cannot show.")
        return False
    return True


def _cautions(table: Floats, names: Sequence[str], moments: Moments) -> list[str]:
    notes = []
    if np.isnan(table).any():
        notes.append(
            "Missing answers are dealt with by maximum likelihood (EM), assuming that they do not depend"
            " on what would have been said."
        )
    joint = joint_counts(table)[1:, 1:]
    never = [f"{names[i]} and {names[j]}" for i in range(len(names)) for j in range(i) if joint[i, j] < LEAST_JOINT]
    if never:
        notes.append(
            "Hardly anybody answered for both of these, so that their shares cannot be told apart well: "
            + ", ".join(never)
            + "."
        )
    if not moments.converged:
        notes.append("The covariance did not settle; with so many gaps the shares are rough.")
    if len(names) > EXACT_UP_TO:
        notes.append(f"With more than {EXACT_UP_TO} touchpoints LMG is averaged over 2,000 drawn orders, not over all.")
    if table.shape[0] < 10 * table.shape[1]:
        notes.append("Fewer than ten sheets per touchpoint: read the intervals, not the order.")
    return notes


def _bootstrap_shares(
    patterns: Patterns, moments: Moments, who: NDArray[Any], repeats: int, seed: int
) -> Floats | None:
    """(draws, p) LMG shares over draws of persons with all their sheets; None where there are too few persons."""
    codes = np.unique(who, return_inverse=True)[1].reshape(-1)
    count = int(codes.max()) + 1
    if repeats <= 0 or count < LEAST_JOINT:
        return None
    draw = np.random.default_rng(seed)
    answered = patterns.observed[patterns.member]
    matrices = []
    for _ in range(repeats):
        weights = np.bincount(draw.integers(count, size=count), minlength=count)[codes].astype(np.float64)
        # A draw in which nobody answered for a touchpoint says nothing about it, nor about the others.
        if (weights @ answered < 2).any():
            continue
        drawn = maximum_likelihood_moments(patterns, weights, start=moments, tolerance=1e-4, iterations=200)
        matrices.append(correlation(drawn.covariance))
    if not matrices:
        return None
    stack = np.stack(matrices)
    return lmg(stack[:, 1:, 1:], stack[:, 1:, 0])


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
    kgi: str = "overall",
    repeats: int = 300,
) -> dict[str, Any]:
    """The ``drivers`` report: keys kgi, r2, n, drivers, notes.

    A driver's ``above_next`` is the probability that it truly stands above the one listed below it; ``place_low`` to
    ``place_high`` are the places that it may have, so that drivers whose order is not certain are told as ties.

    A touchpoint's score is the answer to the question ``touchpoint`` for it on the same sheet (response) as the KGI.
    Scores are on 0–100; ``performance`` is the mean. ``kgi`` is a question, or heart or head: the mean of its
    questions.
    """
    sheets = answer_sheets(session, Period.of(start, end, timezone), store=store)
    prefix = {"heart": HEART, "head": HEAD}.get(kgi)
    asked = pl.col("question").str.starts_with(prefix) if prefix else pl.col("question") == kgi
    outcome = sheets.filter(asked & pl.col("score").is_not_null())
    outcome = outcome.group_by("response_id").agg(pl.col("score").mean().alias("kgi"), pl.col("person").first())
    people, y, names, x = sheet_matrix(outcome, sheets.filter(pl.col("question") == "touchpoint"))
    analysis = driver_analysis(x, y, names, people=people, repeats=repeats)
    return {
        "kgi": kgi,
        "r2": analysis.r2,
        "n": analysis.n,
        "drivers": [
            {
                "touchpoint": d.name,
                "lmg": d.lmg,
                "johnson": d.johnson,
                "low": d.low,
                "high": d.high,
                "performance": d.performance,
                "field": d.field,
                "slope": d.slope,
                "n": d.n,
                "above_next": d.order.above_next if d.order else None,
                "place_low": d.order.place_low if d.order else None,
                "place_high": d.order.place_high if d.order else None,
                "strong": d.order.strong if d.order else None,
            }
            for d in analysis.drivers
        ],
        "notes": list(analysis.notes),
    }
