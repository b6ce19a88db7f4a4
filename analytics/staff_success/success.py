"""The success of clerks against what their case mix lets expect.

Question: who turns proposals into purchases more or less often than an average clerk would with the same customers and
products? Estimate: skill on the logit scale (shrunken), and the rate on the clerk's own case mix. Interval: 95 % of
the posterior, which carries the doubt about the case mix and about how much clerks differ. Wrong if: customers choose
their clerk for reasons that the case mix does not know, or outcomes are recorded selectively.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.case_mix import build_design, fit_mixed_logistic
from analytics.funnel_plot import FunnelPlot, funnel_plot
from analytics.rates import Floats, counts
from analytics.shrinkage import SkillPosterior, fit_skills
from analytics.staff_success.proposals import MIX_LEVELS

MIN_PROPOSALS = 30  # below that nobody is flagged or ranked: an interval is wider than any difference between clerks
SUMS = ("shown", "proposed", "accepted", "confirmed", "first_purchases")
EMPTY_SCHEMA = {
    "clerk_id": pl.String,
    "store_id": pl.String,
    **dict.fromkeys(SUMS, pl.Int64),
    **dict.fromkeys(("rate", "expected", "oe", "shrunk_rate", "low", "high", "p_top_fifth"), pl.Float64),
    "flag": pl.String,
    "ranked": pl.Boolean,
    **dict.fromkeys(("standardised_rate", "standardised_low", "standardised_high"), pl.Float64),
    **dict.fromkeys(("skill", "skill_low", "skill_high"), pl.Float64),
}


@dataclass(frozen=True)
class StaffSuccess:
    """*clerks* has one row per clerk (columns of the staff report), *funnel* the plot they are judged by.

    *average* is the acceptance rate of all proposals, None without any; *spread* how much true skills differ (logits).
    """

    clerks: pl.DataFrame
    funnel: FunnelPlot | None
    average: float | None
    spread: float


@dataclass(frozen=True)
class Proposals:
    """Cells as arrays: what the case mix and the skills are fitted on; *clerk* and *store* are codes."""

    accepted: Floats
    proposed: Floats
    clerk: NDArray[np.intp]
    store: NDArray[np.intp]
    clerk_ids: NDArray[np.str_]

    @classmethod
    def of(cls, cells: pl.DataFrame) -> Proposals:
        """Return the arrays of a frame of cells, in its order."""
        ids, clerk = np.unique(cells["clerk_id"].to_numpy().astype(str), return_inverse=True)
        _, store = np.unique(cells["store_id"].to_numpy().astype(str), return_inverse=True)
        accepted, proposed = (cells[name].cast(pl.Float64).to_numpy() for name in ("accepted", "proposed"))
        return cls(accepted, proposed, clerk, store, ids)


def fit_success(cells: pl.DataFrame) -> tuple[Proposals, SkillPosterior, Floats]:
    """Return the arrays, the posterior of every clerk's skill and the offset (logit of an average clerk) per cell.

    *cells* needs clerk_id, store_id, proposed, accepted and whichever of band, congestion, tier, category,
    probability and score are known; at least one row.
    """
    data = Proposals.of(cells)
    design = build_design(
        cells, weights=data.proposed, levels=MIX_LEVELS, probabilities=("probability",), numbers=("score",)
    )
    mix = fit_mixed_logistic(design.matrix, data.accepted, data.proposed, data.clerk, data.store)
    posterior = fit_skills(
        data.accepted,
        data.proposed,
        mix.offset,
        data.clerk,
        clerks=data.clerk_ids.size,
        offset_variance=mix.offset_variance,
        offset_shift=mix.offset_shift,
    )
    return data, posterior, mix.offset


def staff_success(cells: pl.DataFrame, *, min_proposals: int = MIN_PROPOSALS) -> StaffSuccess:
    """Return everything the staff report says of clerks, from *cells* (see `proposals.CELL_SCHEMA`).

    A clerk without proposals has no rate; the interval then is what is known of clerks in general.
    """
    cells = cells.filter(pl.col("shown") > 0) if "shown" in cells.columns else cells
    if cells.is_empty():
        return StaffSuccess(pl.DataFrame(schema=EMPTY_SCHEMA), None, None, 0.0)
    data, posterior, _ = fit_success(cells)
    size = data.clerk_ids.size
    accepted = counts(data.clerk, size, data.accepted)
    proposed = counts(data.clerk, size, data.proposed)
    expected_rate = posterior.expected_rates()
    mean, low, high = posterior.rates()
    standard, standard_low, standard_high = posterior.standardised_rates()
    enough = proposed >= min_proposals
    variance = proposed * expected_rate * (1 - expected_rate)
    funnel = _funnel(accepted, proposed * expected_rate, variance, enough)
    flags = [flag if ok else "none" for flag, ok in zip(funnel.flags, enough, strict=True)]
    some = proposed > 0
    sums = cells.group_by("clerk_id").agg(
        pl.col([name for name in SUMS if name in cells.columns]).sum(),
        pl.col("store_id").sort_by("shown" if "shown" in cells.columns else "proposed").last(),
    )
    frame = pl.DataFrame(
        {
            "clerk_id": data.clerk_ids.tolist(),
            "rate": np.where(some, accepted / np.maximum(proposed, 1), np.nan),
            "expected": expected_rate,
            "oe": np.where(some, accepted / np.maximum(proposed * expected_rate, 1e-12), np.nan),
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
    clerks = sums.join(frame, on="clerk_id").sort("store_id", "clerk_id")
    total = float(proposed.sum())
    return StaffSuccess(clerks, funnel, float(accepted.sum()) / total if total else None, posterior.spread)


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
