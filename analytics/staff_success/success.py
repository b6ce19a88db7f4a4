"""The success of clerks against what their case mix lets expect.

Question: who turns proposals into purchases more or less often than an average clerk would with the same customers and
products? Estimate: skill on the logit scale (shrunken), and the rate on the clerk's own case mix. Interval: 95 % of
the posterior, which carries the doubt about the case mix and about how much clerks differ. Wrong if: customers choose
their clerk for reasons that the case mix does not know, or outcomes are recorded selectively.

Two steps: `fit_case_mix` learns from single proposals what customers and products let expect; `success_of` needs only
sums per clerk and store, scored with it, so that any days of a roll-up can be judged without reading proposals again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from analytics.case_mix import (
    OFFSETS,
    CaseMix,
    build_design,
    fit_levels,
    slope_variance,
    three_points,
    with_power_sums,
    within_clerks,
)
from analytics.funnel_plot import FunnelPlot, funnel_plot
from analytics.rates import Floats, counts
from analytics.shrinkage import SkillPosterior, fit_skills
from analytics.staff_success.proposals import MIX_LEVELS

MIN_PROPOSALS = 30  # below that nobody is flagged or ranked: an interval is wider than any difference between clerks
SUMS = ("services", "identified", "shown", "recorded", "proposed", "accepted", "confirmed", "first_purchases")
EMPTY_SCHEMA = {
    "clerk_id": pl.String,
    "store_id": pl.String,
    **dict.fromkeys(SUMS, pl.Int64),
    **dict.fromkeys(("rate", "expected", "oe", "oe_low", "oe_high", "shrunk_rate", "low", "high"), pl.Float64),
    "p_top_fifth": pl.Float64,
    "flag": pl.String,
    "ranked": pl.Boolean,
    **dict.fromkeys(("standardised_rate", "standardised_low", "standardised_high"), pl.Float64),
    **dict.fromkeys(("skill", "skill_low", "skill_high"), pl.Float64),
}


@dataclass(frozen=True)
class StaffSuccess:
    """*clerks* has one row per clerk (columns of the staff report), *funnel* the plot they are judged by.

    *average* is the acceptance rate of all proposals, None without any; *spread* how much true skills differ (logits);
    *fit* what the rows were made of, None without any proposal.
    """

    clerks: pl.DataFrame
    funnel: FunnelPlot | None
    average: float | None
    spread: float
    fit: SuccessFit | None = None


@dataclass(frozen=True)
class SuccessFit:
    """Skills and levels, from which the expectation of any part of a clerk's proposals follows.

    *clerk_ids* are sorted; *accepted*, *proposed*, *expected* (rate) and *reach* belong to them. *store_levels* are
    the logits of a clerk of average skill before customers and products. A clerk of average skill is not the average of
    clerks; *reach* brings what he would reach to what clerks of this chain reach on average.
    """

    clerk_ids: NDArray[np.str_]
    accepted: Floats
    proposed: Floats
    posterior: SkillPosterior
    store_levels: dict[str, float]
    intercept: float
    expected: Floats
    reach: Floats


def fit_case_mix(cells: pl.DataFrame) -> CaseMix:
    """Learn from *cells* what customers, products and hours let expect; comparisons are within clerks only.

    *cells* needs clerk_id, proposed, accepted and whichever of band, congestion, tier, category, probability and score
    are known; at least one row with proposals.
    """
    cells = cells.filter(pl.col("proposed") > 0)
    accepted, proposed = (cells[name].cast(pl.Float64).to_numpy() for name in ("accepted", "proposed"))
    ids, clerk = np.unique(cells["clerk_id"].to_numpy().astype(str), return_inverse=True)
    design = build_design(
        cells, weights=proposed, levels=MIX_LEVELS, probabilities=("probability",), numbers=("score",)
    )
    slopes, covariance = within_clerks(design.matrix, accepted, proposed, clerk, ids.size)
    doubt = slope_variance(design.matrix, proposed, clerk, ids.size, covariance)
    return CaseMix(design.terms, slopes[1:], dict(zip(ids.tolist(), doubt.tolist(), strict=True)))


def fit_success(sums: pl.DataFrame, mix: CaseMix) -> SuccessFit:
    """Return skills and levels from *sums* per clerk and store (any number of rows each), scored with *mix*."""
    ids, clerk = np.unique(sums["clerk_id"].to_numpy().astype(str), return_inverse=True)
    store_ids, store = np.unique(sums["store_id"].to_numpy().astype(str), return_inverse=True)
    points, trials = three_points(sums)
    n = trials.sum(axis=1, keepdims=True)
    # Which point a success belongs to does not matter to anybody's skill; they go where the proposals are.
    share = np.where(n > 0, trials / np.maximum(n, 1), 0.0)
    reached = share * sums["accepted"].cast(pl.Float64).to_numpy()[:, None]
    width = points.shape[1]
    fixed, successes, tried = points.ravel(), reached.ravel(), trials.ravel()
    clerks, stores = np.repeat(clerk, width), np.repeat(store, width)
    levels = fit_levels(fixed, successes, tried, clerks, stores, clerks=ids.size)
    own = levels.store_effects if levels.store_effects.size else np.zeros(store_ids.size)
    offset = fixed + levels.intercept + own[stores]
    posterior = fit_skills(
        successes,
        tried,
        offset,
        clerks,
        clerks=ids.size,
        plausible=levels.plausible.with_doubt(mix.variance(ids)),
    )
    proposed = counts(clerks, ids.size, tried)
    expected = posterior.expected_rates()
    average = counts(clerks, ids.size, tried * special.expit(offset))
    reach = np.where(proposed > 0, expected * proposed / np.maximum(average, 1e-12), 1.0)
    return SuccessFit(
        ids,
        counts(clerks, ids.size, successes),
        proposed,
        posterior,
        {str(name): levels.intercept + float(effect) for name, effect in zip(store_ids, own, strict=True)},
        levels.intercept,
        expected,
        reach,
    )


def scored(cells: pl.DataFrame, mix: CaseMix) -> pl.DataFrame:
    """Return *cells* with the power sums of their logits."""
    return with_power_sums(cells, mix.offsets(cells))


def staff_success(cells: pl.DataFrame, *, min_proposals: int = MIN_PROPOSALS) -> StaffSuccess:
    """Return everything the staff report says of clerks, from *cells* (see `proposals.CELL_SCHEMA`)."""
    cells = cells.filter(pl.col("shown") > 0) if "shown" in cells.columns else cells
    if cells.is_empty():
        return success_of(cells, CaseMix.nothing(), min_proposals=min_proposals)
    some = cells["proposed"].sum() > 0
    mix = fit_case_mix(cells) if some else CaseMix.nothing()
    return success_of(scored(cells, mix), mix, min_proposals=min_proposals)


def success_of(sums: pl.DataFrame, mix: CaseMix, *, min_proposals: int = MIN_PROPOSALS) -> StaffSuccess:
    """Return the same from *sums* with OFFSETS, per clerk and store (and whatever else: they are added up).

    A clerk without proposals has no rate; the interval then is what is known of clerks in general.
    """
    if sums.is_empty():
        return StaffSuccess(pl.DataFrame(schema=EMPTY_SCHEMA), None, None, 0.0)
    present = [name for name in SUMS if name in sums.columns]
    by_store = sums.group_by("clerk_id", "store_id").agg(pl.col(present).sum(), pl.col(OFFSETS).sum())
    fit = fit_success(by_store.sort("clerk_id", "store_id"), mix)
    accepted, proposed, expected_rate, posterior = fit.accepted, fit.proposed, fit.expected, fit.posterior
    mean, low, high = posterior.rates()
    standard, standard_low, standard_high = posterior.standardised_rates()
    enough = proposed >= min_proposals
    variance = proposed * expected_rate * (1 - expected_rate)
    funnel = _funnel(accepted, proposed * expected_rate, variance, enough)
    flags = [flag if ok else "none" for flag, ok in zip(funnel.flags, enough, strict=True)]
    some = proposed > 0
    weight = "shown" if "shown" in present else "proposed"
    totals = by_store.group_by("clerk_id").agg(
        pl.col(present).sum(), pl.col("store_id").sort_by(weight, "store_id").last()
    )
    frame = pl.DataFrame(
        {
            "clerk_id": fit.clerk_ids.tolist(),
            "rate": np.where(some, accepted / np.maximum(proposed, 1), np.nan),
            "expected": expected_rate,
            "oe": np.where(some, accepted / np.maximum(proposed * expected_rate, 1e-12), np.nan),
            "oe_low": low / np.maximum(expected_rate, 1e-12),
            "oe_high": high / np.maximum(expected_rate, 1e-12),
            "shrunk_rate": mean,
            "low": low,
            "high": high,
            "p_top_fifth": posterior.top_fifth(),
            "flag": flags,
            "ranked": enough,
            "standardised_rate": standard,
            "standardised_low": standard_low,
            "standardised_high": standard_high,
            "skill": posterior.mean,
            "skill_low": posterior.quantile(0.025),
            "skill_high": posterior.quantile(0.975),
        }
    ).with_columns(pl.col("rate", "oe").fill_nan(None))
    clerks = totals.join(frame, on="clerk_id").sort("store_id", "clerk_id")
    total = float(proposed.sum())
    average = float(accepted.sum()) / total if total else None
    return StaffSuccess(clerks, funnel, average, posterior.spread, fit)


def _funnel(accepted: Floats, expected: Floats, variance: Floats, enough: NDArray[np.bool_]) -> FunnelPlot:
    """Return the plot of all clerks, its over-dispersion taken from those with enough proposals only."""
    if not enough.any():
        return funnel_plot(accepted, expected, variance=variance, min_expected=np.inf)
    judged = funnel_plot(accepted[enough], expected[enough], variance=variance[enough])
    flags = np.full(accepted.size, "none", dtype="U10")
    flags[enough] = judged.flags
    ratio, z, adjusted = (np.full(accepted.size, value) for value in (1.0, 0.0, 0.0))
    ratio[enough], z[enough], adjusted[enough] = judged.ratio, judged.z, judged.adjusted_z
    return FunnelPlot(ratio, z, adjusted, tuple(flags.tolist()), judged.overdispersion, judged.tau2, judged.average)
