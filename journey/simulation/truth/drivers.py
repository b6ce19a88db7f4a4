"""Truth of influence: what moves heart, head, overall and nps, and what practices do."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import polars as pl

from journey.simulation.laws import Laws
from journey.simulation.people import TOUCHPOINTS, touchpoint_correlation
from journey.simulation.products import F
from journey.simulation.proposals import LISTEN_NEEDS, REASONS


def drivers_truth(laws: Laws) -> pl.DataFrame:
    """Weights of the touchpoints for heart, head, overall and nps, and their population LMG shares."""
    correlation = touchpoint_correlation(laws)
    rows: list[dict[str, object]] = []
    for kgi, weights in laws.drivers.items():
        w = np.array([weights[t] for t in TOUCHPOINTS])
        explained = 1 - laws.heart_head_noise
        shares = _lmg(correlation, w / np.sqrt(w @ correlation @ w) * np.sqrt(explained))
        order = np.argsort(-shares).argsort() + 1
        for i, touchpoint in enumerate(TOUCHPOINTS):
            share = float(shares[i] / shares.sum())
            row = {"kgi": kgi, "touchpoint": touchpoint, "weight": weights[touchpoint], "lmg_share": share}
            rows.append(row | {"order": int(order[i]), "r2": explained})
    return pl.DataFrame(rows)


def _lmg(correlation: F, beta: F) -> F:
    """Shapley shares of the explained variance of standardised predictors (Lindeman, Merenda, Gold 1980)."""
    k = len(beta)
    cov = correlation @ beta

    def r2(subset: tuple[int, ...]) -> float:
        if not subset:
            return 0.0
        index = list(subset)
        return float(cov[index] @ np.linalg.solve(correlation[np.ix_(index, index)], cov[index]))

    shares = np.zeros(k)
    for j in range(k):
        others = [i for i in range(k) if i != j]
        for size in range(k):
            weight = factorial(size) * factorial(k - size - 1) / factorial(k)
            for subset in combinations(others, size):
                shares[j] += weight * (r2(tuple(sorted((*subset, j)))) - r2(subset))
    return shares


def practices_truth(log: pl.DataFrame, laws: Laws) -> pl.DataFrame:
    """Odds ratios of every practice; 1 is a planted non-effect.

    ``odds_ratio`` is the law, given everything about customer, product and clerk. ``marginal_odds_ratio`` compares the
    mean chance of a purchase over the proposals made, had the practice always or never been used where it can be:
    what a randomised comparison without covariates finds. Odds ratios do not collapse, so an analysis that adjusts for
    part of the case mix lands between the two.
    """
    made = log.filter("proposed")
    accept = made["p_accept"].to_numpy()
    logit = np.log(accept / (1 - accept))
    unasked = np.where(made["in_basket"].to_numpy(), 1.0, made["unasked"].to_numpy())
    kind, reason = made["kind"].to_numpy(), made["reason"].to_numpy()
    first = made["leads"].to_numpy()
    where = {
        "listen_first": (made["listen_first"].to_numpy(), made["seconds"].to_numpy() > LISTEN_NEEDS),
        "familiar_first": (made["familiar_first"].to_numpy(), (kind > 0) & ~first),
        "few": (made["few"].to_numpy(), np.ones(len(logit), dtype=np.bool_)),
        "reason_web_view": (reason == REASONS.index("web_view"), made["was_viewed"].to_numpy()),
        "reason_popular": (reason == REASONS.index("popular"), np.ones(len(logit), dtype=np.bool_)),
        "follows_rank": (made["follows_rank"].to_numpy(), np.ones(len(logit), dtype=np.bool_)),
    }
    rows: list[tuple[object, ...]] = []
    for practice, ratio in laws.practice_odds.items():
        used, eligible = where[practice]
        off = (logit - np.log(ratio) * used)[eligible]
        if not eligible.any():
            rows.append((practice, ratio, None, None, None, 0))
            continue
        alone = unasked[eligible]
        with_it = float(np.mean(alone + (1 - alone) / (1 + np.exp(-off - np.log(ratio)))))
        without = float(np.mean(alone + (1 - alone) / (1 + np.exp(-off))))
        marginal = with_it / (1 - with_it) / (without / (1 - without))
        rows.append((practice, ratio, marginal, with_it, without, int(eligible.sum())))
    schema = ["practice", "odds_ratio", "marginal_odds_ratio", "p_with", "p_without", "n"]
    return pl.DataFrame(rows, schema=schema, orient="row")
