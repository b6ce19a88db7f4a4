"""Does a know-how card help? Clerks who saw it against clerks who had not yet, before and after.

Question: by how much do the odds of acceptance change once a clerk has seen the card? Estimate: differences in
differences, stacked by day of adoption (Cengiz et al. 2019), so that nobody is compared with a clerk who has already
seen it; on the logit scale, with an effect per clerk and one per period. Interval: clustered by clerk. Wrong if: those
who saw the card were about to change anyway – the change before adoption, which is given beside it, would show that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zlib import crc32

import numpy as np
import polars as pl
from scipy import stats

from analytics.know_how.clustered import fit_clustered
from analytics.rates import Floats

WINDOW_DAYS = 28
WITHIN_SPREAD = 2.5
LEAST_PROPOSALS = 50
COMPARED_PER_ADOPTER = 8
LEAST_COMPARED = 40


@dataclass(frozen=True)
class CardEffect:
    """The odds ratio of acceptance after against before, with its 95 % interval.

    *before* is the same comparison of the first against the second half of the time before adoption: it should be
    near 1. *verdict*: helps, harms, no_effect_seen or too_thin (then the numbers are NaN).
    """

    odds_ratio: float
    low: float
    high: float
    before: float
    adopters: int
    compared: int
    proposals: int
    verdict: str


def card_effect(days: pl.DataFrame, adopted: dict[str, date], *, window: int = WINDOW_DAYS) -> CardEffect:
    """Return the effect of a card that each clerk in *adopted* first saw on that day.

    *days* has clerk_id, day, proposed and accepted; optionally offset (logit of what the case mix expects), which is
    taken out. Clerks not in *adopted* have never seen the card. Each adoption is compared over *window* days before
    and after, the day itself left out.
    """
    stacked = _stack(days.filter(pl.col("proposed") > 0), adopted, window)
    adopters = stacked.filter(pl.col("treated"))["clerk_id"].n_unique() if stacked.height else 0
    compared = stacked.filter(~pl.col("treated"))["clerk_id"].n_unique() if stacked.height else 0
    proposals = int(stacked["proposed"].sum()) if stacked.height else 0
    both = stacked.height > 0 and bool(
        stacked.group_by("treated", "after").agg(pl.col("proposed").sum()).filter(pl.col("proposed") > 0).height == 4
    )
    if not both or adopters < 2 or compared < 2 or proposals < LEAST_PROPOSALS:
        nan = float("nan")
        return CardEffect(nan, nan, nan, nan, adopters, compared, proposals, "too_thin")
    beta, error, clusters = _difference(stacked, "after")
    half = float(stats.t.ppf(0.975, max(clusters - 1, 1))) * error
    early = stacked.filter(~pl.col("after")).with_columns(after=pl.col("late_before"))
    trend = _difference(early, "after")[0] if early["after"].n_unique() == 2 else 0.0
    low, high = float(np.exp(beta - half)), float(np.exp(beta + half))
    verdict = "helps" if low > 1 else "harms" if high < 1 else "no_effect_seen"
    return CardEffect(float(np.exp(beta)), low, high, float(np.exp(trend)), adopters, compared, proposals, verdict)


def _stack(days: pl.DataFrame, adopted: dict[str, date], window: int) -> pl.DataFrame:
    """Return one copy of the window around each day of adoption: its adopters, and clerks not yet shown by its end.

    A row is a clerk in a stack, before or after (the time before in halves). A chain's thousand clerks would stand in
    every copy, and eight times as many as adopters tell as much as all; who of them stays is drawn by a hash.
    """
    summed = [pl.col("proposed").sum(), pl.col("accepted").sum()]
    if "offset" in days.columns:
        summed.append((pl.col("offset") * pl.col("proposed")).sum() / pl.col("proposed").sum())
    parts = []
    first_seen = pl.col("clerk_id").replace_strict(adopted, default=None, return_dtype=pl.Date)
    marked = days.with_columns(first_seen=first_seen)
    for number, day in enumerate(sorted(set(adopted.values()))):
        last = day + timedelta(days=window)
        near = marked.filter(
            pl.col("day").is_between(day - timedelta(days=window), last)
            & (pl.col("day") != day)
            & ((pl.col("first_seen") == day) | pl.col("first_seen").is_null() | (pl.col("first_seen") > last))
        )
        near = near.filter(pl.col("clerk_id").is_in(_kept(near, day, number).implode()))
        parts.append(
            near.with_columns(
                stack=pl.lit(number),
                treated=(pl.col("first_seen") == day).fill_null(value=False),
                after=pl.col("day") > day,
                late_before=pl.col("day") > day - timedelta(days=window // 2),
            )
            .group_by("stack", "clerk_id", "treated", "after", "late_before")
            .agg(summed)
            .sort("clerk_id", "after", "late_before")
        )
    return pl.concat(parts) if parts else marked.clear()


def _kept(near: pl.DataFrame, day: date, number: int) -> pl.Series:
    """Return the clerks of stack *number* who stay: all adopters of the *day*, and the others up to the limit."""
    treated = near.filter(pl.col("first_seen") == day)["clerk_id"].unique()
    others = near.filter(~(pl.col("first_seen") == day).fill_null(value=False))["clerk_id"].unique().to_list()
    drawn = sorted(others, key=lambda clerk: (crc32(f"{number}/{clerk}".encode()), clerk))
    most = max(LEAST_COMPARED, COMPARED_PER_ADOPTER * treated.len())
    return pl.concat([treated, pl.Series("clerk_id", drawn[:most], dtype=pl.String)])


def _difference(stacked: pl.DataFrame, after: str) -> tuple[float, float, int]:
    """Return the interaction of treated and after (logit), its clustered error, and the number of clerks."""
    frame = stacked.with_columns(unit=pl.format("{}/{}", "stack", "clerk_id"))
    _, unit = np.unique(frame["unit"].to_numpy().astype(str), return_inverse=True)
    _, clerk = np.unique(frame["clerk_id"].to_numpy().astype(str), return_inverse=True)
    _, stack = np.unique(frame["stack"].to_numpy(), return_inverse=True)
    later, treated = (frame[name].cast(pl.Float64).to_numpy() for name in (after, "treated"))
    columns: list[Floats] = [np.ones(frame.height), later * treated]
    # A period effect per stack: what the season did to everybody.
    columns += [later * (stack == number) for number in range(int(stack.max()) + 1)]
    proposed, accepted = (frame[name].cast(pl.Float64).to_numpy() for name in ("proposed", "accepted"))
    if "offset" in frame.columns:
        centred = frame["offset"].to_numpy() - np.average(frame["offset"].to_numpy(), weights=proposed)
        columns.append(centred)
    fit = fit_clustered(np.column_stack(columns), accepted, proposed, unit, clerk_spread=WITHIN_SPREAD, cluster=clerk)
    return float(fit.coefficients[1]), float(fit.standard_errors[1]), fit.clusters
