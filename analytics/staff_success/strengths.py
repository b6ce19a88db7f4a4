"""Where a clerk is stronger or weaker than at his own average: by category, shrunken."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.rates import counts
from analytics.shrinkage import fit_skills
from analytics.staff_success.success import fit_success

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
    data, posterior, offset = fit_success(cells)
    names = cells.select(pair=pl.format("{}\x1f{}", "clerk_id", "category"))["pair"].to_numpy().astype(str)
    pairs, pair = np.unique(names, return_inverse=True)
    # His level on his own rows: what is uncertain about everybody's average does not touch a comparison with himself.
    level = posterior.total @ posterior.grid
    deviation = posterior.total @ posterior.grid**2 - level**2
    owner = np.zeros(pairs.size, dtype=np.intp)
    owner[pair] = data.clerk
    found = fit_skills(
        data.accepted,
        data.proposed,
        offset + level[data.clerk],
        pair,
        clerks=pairs.size,
        offset_variance=np.maximum(deviation[owner], 0.0),
    )
    positive = found.density[:, found.grid > 0].sum(axis=1)
    verdict = np.where(positive > FIRM, "strength", np.where(positive < 1 - FIRM, "weakness", "none"))
    split = [name.split("\x1f") for name in pairs.tolist()]
    return pl.DataFrame(
        {
            "clerk_id": [clerk for clerk, _ in split],
            "category": [category for _, category in split],
            "proposed": counts(pair, pairs.size, data.proposed).astype(np.int64),
            "accepted": counts(pair, pairs.size, data.accepted).astype(np.int64),
            "strength": found.mean,
            "low": found.quantile(0.025),
            "high": found.quantile(0.975),
            "p_positive": positive,
            "verdict": verdict,
        },
        schema=SCHEMA,
    )
