"""Skills on the logit scale: each clerk's deviation from what the case mix expects, with its full uncertainty.

The likelihood of a clerk is the exact binomial one of his rows at a known offset (the case mix), the skills follow
N(0, σ²), σ is integrated out under the prior of `case_mix.spreads`, and the uncertainty of the offset is convolved
in – for each σ its own, since where clerks hardly differ the others tell precisely what is usual. Everything sits on
one grid of skills, so that no posterior is assumed to be normal: three proposals give the wide and skewed posterior
that three proposals deserve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from analytics.case_mix.spreads import PlausibleSpreads, log_spread_prior
from analytics.rates import Floats
from analytics.shrinkage.clerk_rows import ClerkRows, Codes, merge_rows

REACH = 4.5  # logits; a skill of ±4.5 turns a rate of 20 % into 96 % or 0.3 %
SPREADS = np.geomspace(0.01, 2.5, 60)
TINY = 1e-300


@dataclass(frozen=True)
class SkillPosterior:
    """Posteriors of all clerks on one grid.

    *density* (clerks × grid) sums to one per clerk and is the skill u: better or worse than an average clerk with the
    same case mix. *total* is the posterior of u plus the error of the offset: what the clerk's own rate depends on.
    *spread* is the posterior mean of σ.
    """

    grid: Floats
    density: Floats
    total: Floats
    spread: float
    rows: ClerkRows

    @property
    def mean(self) -> Floats:
        """Return the posterior mean of each skill (logits)."""
        return np.asarray(self.density @ self.grid)

    def quantile(self, probability: float) -> Floats:
        """Return the quantile of each skill (logits)."""
        return quantiles(self.grid, self.density, probability)

    def rates(self, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """Return posterior mean, low and high of each clerk's success rate on his own case mix."""
        curves = self.rows.rate_curves(self.grid)
        tail = (1 - level) / 2
        mean = np.sum(self.total * curves, axis=1)
        ends = [quantiles(self.grid, self.total, p) for p in (tail, 1 - tail)]
        low, high = (
            np.array([np.interp(q, self.grid, curve) for q, curve in zip(end, curves, strict=True)]) for end in ends
        )
        return mean, low, high

    def standardised_rates(self, level: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """Return posterior mean, low and high of the rate each clerk would reach on the case mix of all together."""
        curve = self.rows.pooled_curve(self.grid)
        tail = (1 - level) / 2
        low, high = (np.interp(self.quantile(p), self.grid, curve) for p in (tail, 1 - tail))
        return np.asarray(self.density @ curve), low, high

    def expected_rates(self) -> Floats:
        """Return the rate that clerks of this chain reach on average on each clerk's own case mix.

        The average is over skills N(d, σ²), with d such that all clerks together are expected to reach what they did:
        few clerks leave σ wide open, and an average over all of that width would not be the average of these clerks.
        """
        curves, rows = self.rows.rate_curves(self.grid), self.rows
        trials = np.add.reduceat(rows.trials, rows.starts)
        reached = float(rows.successes.sum())

        def expected(centre: float) -> Floats:
            prior = np.exp(-0.5 * ((self.grid - centre) / max(self.spread, 1e-6)) ** 2)
            return np.asarray(curves @ (prior / prior.sum()))

        def excess(centre: float) -> float:
            return float(trials @ expected(centre)) - reached

        low, high = -REACH / 2, REACH / 2
        if excess(low) >= 0 or excess(high) <= 0:
            return expected(0.0)
        return expected(float(optimize.brentq(excess, low, high, xtol=1e-6)))

    def draws(self, count: int, seed: int) -> Floats:
        """Return *count* draws of every skill (count × clerks)."""
        rng = np.random.default_rng(seed)
        cumulative = np.cumsum(self.density, axis=1)
        uniforms = rng.random((count, self.density.shape[0]))
        return np.stack([np.interp(uniforms[:, i], c, self.grid) for i, c in enumerate(cumulative)], axis=1)

    def top_fifth(self, count: int = 4000, seed: int = 7) -> Floats:
        """Return the probability that each clerk is among the best fifth, by simulation from the posterior.

        Among fewer than five clerks there is no fifth; then it is the probability of a skill above the upper fifth of
        the skills that clerks like these have, N(0, σ²).
        """
        clerks = self.density.shape[0]
        if clerks < 5:
            bar = self.spread * 0.8416212335729143  # the 80 % quantile of N(0, 1)
            return np.asarray(self.density[:, self.grid > bar].sum(axis=1))
        draws = self.draws(count, seed)
        best = round(clerks / 5)
        threshold = np.partition(draws, clerks - best, axis=1)[:, clerks - best]
        return np.asarray((draws >= threshold[:, None]).mean(axis=0))


def quantiles(grid: Floats, density: Floats, probability: float) -> Floats:
    """Return the quantile of each row of *density* over *grid*, linear between grid points."""
    cumulative = np.cumsum(density, axis=1) - density / 2
    return np.array([np.interp(probability, c, grid) for c in cumulative])


def _smear(values: Floats, step: float, variance: Floats, shift: Floats) -> Floats:
    """Return each row of *values* convolved with N(shift, variance): E f(u + δ), by Fourier transform."""
    if not (variance > 0).any() and not (shift != 0).any():
        return values
    width = values.shape[1]
    padded = np.pad(values, ((0, 0), (width // 2, width // 2)), mode="edge")
    omega = 2 * np.pi * np.fft.rfftfreq(padded.shape[1], d=step)
    kernel = np.exp(-0.5 * variance[:, None] * omega**2 + 1j * omega * shift[:, None])
    smeared = np.fft.irfft(np.fft.rfft(padded, axis=1) * kernel, n=padded.shape[1], axis=1)
    return np.maximum(smeared[:, width // 2 : width // 2 + width], 0.0)


def _normal(grid: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return N(mean, variance) at the points of the grid, summing to one (means × grid)."""
    density = np.exp(-0.5 * (grid[None, :] - mean[:, None]) ** 2 / variance[:, None])
    return np.asarray(density / density.sum(axis=1, keepdims=True))


def _with_own_spreads(own: Floats, grid: Floats, variance: Floats) -> tuple[Floats, Floats, float]:
    """Return density, total and mean spread where only the rows tell of the spread, by matrix products."""
    step = float(grid[1] - grid[0])
    likelihood = np.maximum(_smear(own, step, variance, np.zeros_like(variance)), TINY)
    prior = _normal(grid, np.zeros(SPREADS.size), SPREADS**2)
    marginal = np.maximum(likelihood @ prior.T, TINY)
    log_weight = np.log(marginal).sum(axis=0) + log_spread_prior(np.log(SPREADS))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mixed = (weight / marginal) @ prior
    total = own * _smear(mixed, step, variance, np.zeros_like(variance))
    return likelihood * mixed, total, float(weight @ SPREADS)


def _with_plausible_spreads(own: Floats, grid: Floats, plausible: PlausibleSpreads) -> tuple[Floats, Floats]:
    """Return density and total as a mixture over the plausible spreads, each with the offset's doubt that it brings."""
    step = float(grid[1] - grid[0])
    density, total = np.zeros_like(own), np.zeros_like(own)
    for spread, weight, variance, shift in zip(
        plausible.spreads, plausible.weights, plausible.variance, plausible.shift, strict=True
    ):
        skill = np.maximum(_smear(own, step, variance, shift), TINY)
        skill *= _normal(grid, np.zeros(1), np.array([spread**2]))
        # The clerk's own rate turns on skill plus offset error, which his own rows tell directly.
        both = own * _normal(grid, shift, spread**2 + variance)
        density += skill * (weight / np.maximum(skill.sum(axis=1, keepdims=True), TINY))
        total += both * (weight / np.maximum(both.sum(axis=1, keepdims=True), TINY))
    return density, total


def fit_skills(
    successes: Floats,
    trials: Floats,
    offset: Floats,
    clerk: Codes,
    *,
    clerks: int | None = None,
    offset_variance: Floats | None = None,
    plausible: PlausibleSpreads | None = None,
) -> SkillPosterior:
    """Return the posterior skill of every clerk from rows of *successes* out of *trials* at a known *offset*.

    *clerk* holds codes 0…clerks−1. How much clerks differ, and with it how uncertain the offset is, comes from
    *plausible* (see `case_mix.spreads`); else from the rows, with *offset_variance* per clerk.
    """
    count = clerks if clerks is not None else int(clerk.max()) + 1
    rows = merge_rows(successes, trials, offset, clerk, count)
    rates = special.expit(rows.offset)
    information = np.add.reduceat(rows.trials * rates * (1 - rates), rows.starts)
    narrowest = 1 / np.sqrt(max(float(information.max()), 1.0))
    points = int(np.clip(2 * REACH / (narrowest / 3), 400, 1800)) | 1
    grid = np.linspace(-REACH, REACH, points)

    own = np.exp(rows.log_likelihood(grid))
    if plausible is None:
        variance = np.zeros(count) if offset_variance is None else offset_variance
        density, total, spread = _with_own_spreads(own, grid, variance)
    else:
        density, total = _with_plausible_spreads(own, grid, plausible)
        spread = float(plausible.weights @ plausible.spreads)
    density /= density.sum(axis=1, keepdims=True)
    total /= total.sum(axis=1, keepdims=True)
    return SkillPosterior(grid, density, total, spread, rows)
