"""Odds ratios of practices, adjusted for case mix and clerk, with the false discovery rate controlled.

Question: with like customers and products, are proposals accepted more often where a clerk does this? Estimate: one
logistic regression of all practices at once beside the case mix, with an effect per clerk. Interval: 95 %, clustered
by clerk. Wrong if: clerks choose the practice by something about the customer that the case mix does not know (they
listen longer to those who are interested anyway) – which only a card given to some and not yet to others settles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy import special, stats

from analytics.case_mix import build_design
from analytics.know_how.clustered import fit_clustered
from analytics.rates import Floats, benjamini_hochberg

MIN_ODDS_RATIO = 1.1  # a smaller difference is not worth telling anybody, however certain
MAX_Q = 0.05
MIN_USES = 30
MOST_REASONS = 12
FLAGS = ("listen_first", "few", "familiar_first", "follows_rank")
MIX = ("band", "tier", "category", "rank", "familiar")  # the store is in the effect of its clerks
EXAMPLES = 3


def practice_odds(
    cells: pl.DataFrame,
    *,
    practices: Sequence[str] = FLAGS,
    mix: Sequence[str] = MIX,
    min_odds_ratio: float = MIN_ODDS_RATIO,
) -> list[dict[str, Any]]:
    """Return one row per practice: odds_ratio, low, high, p_value, q_value, n, without, clerks, supported, examples.

    *cells* has clerk_id, proposed, accepted, 0/1 columns of *practices*, and whichever columns of *mix*, probability,
    reason and example are known. A reason that the screen gave becomes the practice `reason_<code>` where there are at
    most a dozen of them, compared with the commonest. `n` counts proposals with the practice. It is `supported` where
    q ≤ 5 % and the odds differ by the minimum effect or more, in either direction: what harms is know-how too. Those
    used, or not used, in fewer than 30 proposals are left out; the strongest come first.
    """
    if cells.is_empty() or cells["proposed"].sum() == 0:
        return []
    proposed, accepted = (cells[name].cast(pl.Float64).to_numpy() for name in ("proposed", "accepted"))
    names, columns = _practice_columns(cells, practices, proposed)
    if not names or accepted.sum() in (0, proposed.sum()):
        return []
    design = build_design(cells, weights=proposed, levels=mix, probabilities=("probability",))
    _, clerk = np.unique(cells["clerk_id"].to_numpy().astype(str), return_inverse=True)
    X = np.column_stack([design.matrix, *columns])
    fit = fit_clustered(X, accepted, proposed, clerk)
    first = design.matrix.shape[1]
    beta, error = fit.coefficients[first:], np.maximum(fit.standard_errors[first:], 1e-12)
    # The t distribution with clerks − 1 degrees of freedom: few clerks, wide intervals.
    freedom = max(fit.clusters - 1, 1)
    t = float(stats.t.ppf(0.975, freedom))
    p_values = 2 * stats.t.sf(np.abs(beta / error), freedom)
    q_values = benjamini_hochberg(p_values)
    rows = []
    for j, name in enumerate(names):
        used = columns[j] > 0
        ratio = float(np.exp(beta[j]))
        strong = max(ratio, 1 / ratio) >= min_odds_ratio
        rows.append(
            {
                "practice": name,
                "odds_ratio": ratio,
                "low": float(np.exp(beta[j] - t * error[j])),
                "high": float(np.exp(beta[j] + t * error[j])),
                "p_value": float(p_values[j]),
                "q_value": float(q_values[j]),
                "n": int(proposed[used].sum()),
                "without": int(proposed[~used].sum()),
                "clerks": int(np.unique(clerk[used]).size),
                "rate_with": float(accepted[used].sum() / proposed[used].sum()),
                "rate_without": float(accepted[~used].sum() / proposed[~used].sum()),
                "extra_accepted": _extra(X, fit.coefficients, first + j, used, proposed),
                "supported": bool(q_values[j] <= MAX_Q and strong),
                "examples": _examples(cells, used),
            }
        )
    return sorted(rows, key=lambda row: (not row["supported"], -abs(np.log(row["odds_ratio"]))))


def _practice_columns(
    cells: pl.DataFrame, practices: Sequence[str], proposed: Floats
) -> tuple[list[str], list[Floats]]:
    """Return names and 0/1 columns of the practices with enough proposals on both sides."""
    found = {name: cells[name].fill_null(0).cast(pl.Float64).to_numpy() for name in practices if name in cells.columns}
    if "reason" in cells.columns:
        codes = [code for code in cells["reason"].unique().drop_nulls().sort().to_list() if code]
        if 2 <= len(codes) <= MOST_REASONS:
            said = cells["reason"].fill_null("").to_numpy()
            found |= {f"reason_{code}": (said == code).astype(np.float64) for code in codes}
    total = float(proposed.sum())
    names, columns = [], []
    for name, column in found.items():
        uses = float(column @ proposed)
        if MIN_USES <= uses <= total - MIN_USES:
            names.append(name)
            columns.append(column)
    reasons = [name for name in names if name.startswith("reason_")]
    covered = sum(float(columns[names.index(name)] @ proposed) for name in reasons)
    if len(reasons) > 1 and covered >= total - MIN_USES:
        # All reasons together are the intercept; the commonest is what the others are compared with.
        most = max(reasons, key=lambda name: float(columns[names.index(name)] @ proposed))
        at = names.index(most)
        names.pop(at)
        columns.pop(at)
    return names, columns


def _extra(X: Floats, beta: Floats, column: int, used: np.ndarray[Any, np.dtype[np.bool_]], proposed: Floats) -> float:
    """Return how many more proposals per 100 without the practice would be accepted with it, by the model."""
    eta = X[~used] @ beta
    weight = proposed[~used]
    if weight.sum() == 0:
        return 0.0
    gain = special.expit(eta + beta[column]) - special.expit(eta)
    return float(100 * np.average(gain, weights=weight))


def _examples(cells: pl.DataFrame, used: np.ndarray[Any, np.dtype[np.bool_]]) -> list[str]:
    if "example" not in cells.columns:
        return []
    return cells.filter(pl.Series(used))["example"].drop_nulls().head(EXAMPLES).to_list()
