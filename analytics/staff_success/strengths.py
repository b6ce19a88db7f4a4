"""Where a clerk is stronger or weaker than at his own average: by category, shrunken."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.case_mix import OFFSETS, three_points
from analytics.rates import counts
from analytics.shrinkage import fit_skills
from analytics.staff_success.success import SuccessFit, fit_case_mix, fit_success, scored

FIRM = 0.9  # probability of being on one side, from which on it is called a strength or a weakness
SCHEMA = {
    "clerk_id": pl.String,
    "category": pl.String,
    "proposed": pl.Int64,
    "accepted": pl.Int64,
    "strength": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p_positive": pl.Float64,
    "verdict": pl.String,
}


def category_strengths(cells: pl.DataFrame) -> pl.DataFrame:
    """Return one row per clerk and category with proposals: strength (logits, against the clerk's own skill).

    *cells* as for `staff_success`. Strengths share one spread over all clerks and categories, so that a category with
    few proposals says little; `verdict` is strength, weakness or none. A clerk's doubt about his own level is in the
    interval. Categories that are unknown are left out.
    """
    cells = cells.filter((pl.col("proposed") > 0) & pl.col("category").is_not_null())
    if cells.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    mix = fit_case_mix(cells)
    sums = scored(cells, mix)
    by_store = sums.group_by("clerk_id", "store_id").agg(pl.col("proposed", "accepted", *OFFSETS).sum())
    return strengths_of(sums, fit_success(by_store.sort("clerk_id", "store_id"), mix))


def strengths_of(sums: pl.DataFrame, fit: SuccessFit) -> pl.DataFrame:
    """Return the same from *sums* per clerk, store and category, and the *fit* of all of them; '' is no category."""
    sums = sums.filter((pl.col("proposed") > 0) & pl.col("category").is_not_null() & (pl.col("category") != ""))
    if sums.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    sums = sums.group_by("clerk_id", "store_id", "category").agg(pl.col("proposed", "accepted", *OFFSETS).sum())
    sums = sums.sort("clerk_id", "category", "store_id")
    names = sums.select(pair=pl.format("{}\x1f{}", "clerk_id", "category"))["pair"].to_numpy().astype(str)
    pairs, pair = np.unique(names, return_inverse=True)
    clerk = np.searchsorted(fit.clerk_ids, sums["clerk_id"].to_numpy().astype(str))
    # His level on his own rows: what is uncertain about everybody's average does not touch a comparison with himself.
    level = fit.posterior.total @ fit.posterior.grid
    deviation = fit.posterior.total @ fit.posterior.grid**2 - level**2
    owner = np.zeros(pairs.size, dtype=np.intp)
    owner[pair] = clerk
    points, trials = three_points(sums)
    stores = np.array([fit.store_levels.get(name, fit.intercept) for name in sums["store_id"].to_list()])
    accepted, proposed = (sums[name].cast(pl.Float64).to_numpy() for name in ("accepted", "proposed"))
    reached = trials * (accepted / proposed)[:, None]
    offset = points + (stores + level[clerk])[:, None]
    found = fit_skills(
        reached.ravel(),
        trials.ravel(),
        offset.ravel(),
        np.repeat(pair, points.shape[1]),
        clerks=pairs.size,
        offset_variance=np.maximum(deviation[owner], 0.0),
    )
    positive = found.density[:, found.grid > 0].sum(axis=1)
    verdict = np.where(positive > FIRM, "strength", np.where(positive < 1 - FIRM, "weakness", "none"))
    split = [name.split("\x1f") for name in pairs.tolist()]
    return pl.DataFrame(
        {
            "clerk_id": [clerk_id for clerk_id, _ in split],
            "category": [category for _, category in split],
            "proposed": counts(pair, pairs.size, proposed).astype(np.int64),
            "accepted": counts(pair, pairs.size, accepted).astype(np.int64),
            "strength": found.mean,
            "low": found.quantile(0.025),
            "high": found.quantile(0.975),
            "p_positive": positive,
            "verdict": verdict,
        },
        schema=SCHEMA,
    )
