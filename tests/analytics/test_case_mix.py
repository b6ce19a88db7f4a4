"""The case mix: agreement with an implementation that is not ours, sparse data, and what columns come of a frame."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from analytics.case_mix import build_design, fit_logistic, fit_mixed_logistic, fit_poisson
from analytics.funnel_plot import funnel_plot, limits, poisson_limits
from analytics.rates import rate, wilson
from journey.errors import InputError


def test_logistic_agrees_with_scikit_learn_with_and_without_a_ridge() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(800), rng.normal(size=(800, 3))])
    y = (rng.random(800) < special.expit(X @ [-1, 0.5, -0.3, 0.0])).astype(float)
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=500).fit(X, y)
    assert fit_logistic(X, y).coefficients == pytest.approx(theirs.coef_[0], abs=1e-4)
    shrunk = LogisticRegression(C=1 / 20, fit_intercept=False, tol=1e-10, max_iter=500).fit(X, y)
    assert fit_logistic(X, y, ridge=20.0).coefficients == pytest.approx(shrunk.coef_[0], abs=1e-4)


def test_counts_stand_for_rows() -> None:
    X = np.array([[1.0, 0.0], [1.0, 1.0]])
    rows = fit_logistic(np.repeat(X, [10, 20], axis=0), [1] * 3 + [0] * 7 + [1] * 12 + [0] * 8)
    added = fit_logistic(X, [0.3, 0.6], trials=[10, 20])
    assert added.coefficients == pytest.approx(rows.coefficients, abs=1e-6)
    assert added.standard_errors == pytest.approx(rows.standard_errors, abs=1e-5)
    assert added.fitted == pytest.approx([0.3, 0.6])
    assert added.deviance == pytest.approx(0, abs=1e-6)


def test_perfect_separation_ends_in_finite_numbers() -> None:
    fit = fit_logistic([[1.0, 0.0], [1.0, 1.0]], [0.0, 1.0], trials=[50, 50])
    assert np.isfinite(fit.coefficients).all()
    assert fit.fitted == pytest.approx([0, 1], abs=1e-3)


def test_weights_of_a_poisson_fit_are_copies() -> None:
    X = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    weighted = fit_poisson(X, [2.0, 5.0, 9.0], weights=[1, 2, 3])
    copied = fit_poisson(np.repeat(X, [1, 2, 3], axis=0), [2.0, 5.0, 5.0, 9.0, 9.0, 9.0])
    assert weighted.coefficients == pytest.approx(copied.coefficients, abs=1e-6)


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(InputError, match="3 rows and y 2"):
        fit_poisson(np.ones((3, 1)), [1, 2])
    with pytest.raises(InputError, match="1 dimensions"):
        fit_logistic(np.ones(3), [1, 0, 1])


def test_skill_stays_out_of_the_case_mix() -> None:
    # Good clerks get the good customers; a case mix fitted without clerks would take over part of their skill.
    rng = np.random.default_rng(1)
    clerk = np.repeat(np.arange(40), 200)
    skill = rng.normal(0, 0.6, 40)
    x = rng.normal(size=clerk.size) + skill[clerk]
    y = (rng.random(clerk.size) < special.expit(-1 + 0.5 * x + skill[clerk])).astype(float)
    X = np.column_stack([np.ones(clerk.size), x])
    with_clerks = fit_mixed_logistic(X, y, np.ones_like(y), clerk)
    without = fit_logistic(X, y)
    assert with_clerks.coefficients[1] == pytest.approx(0.5, abs=0.08)
    assert without.coefficients[1] > 0.65
    assert with_clerks.clerk_spread == pytest.approx(0.6, abs=0.2)
    assert np.corrcoef(with_clerks.clerk_effects, skill)[0, 1] > 0.9


def test_columns_of_a_frame() -> None:
    frame = pl.DataFrame(
        {
            "tier": ["gold"] * 60 + ["none"] * 30 + ["odd"] * 2 + [None] * 8,
            "probability": [0.2] * 50 + [0.4] * 40 + [None] * 10,
            "score": [1.0, 5.0] * 50,
        }
    )
    design = build_design(
        frame, weights=np.ones(100), levels=("tier", "absent"), probabilities=("probability",), numbers=("score",)
    )
    assert design.names == (
        "intercept",
        "logit(probability)",
        "probability=?",
        "score",
        "tier=none",
    )
    assert design.matrix[:, 4].sum() == 30  # gold is the reference, ten odd ones are too few for a column
    assert design.matrix[95, 1] == 0
    assert design.matrix[:, 3].mean() == pytest.approx(0)


def test_a_rate_comes_with_its_interval() -> None:
    # Wilson's interval for 8 of 10 as in Brown, Cai and DasGupta (2001).
    found = rate(8, 10)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.490, 0.943), abs=5e-4)
    assert rate(0, 0) is None
    low, high = wilson([0, 0, 5], [0, 10, 5])
    assert low.tolist()[:2] == [0, 0]
    assert high[0] == 1
    assert low[2] < 1 == high[2]


def test_funnel_limits_and_units_without_expectation() -> None:
    low, high = poisson_limits([10.0], 0.95)
    assert (low[0] * 10, high[0] * 10) == pytest.approx((4.795, 18.390), abs=1e-3)  # exact limits around 10
    narrow, wide = limits([10.0], 0.95), limits([10.0], 0.95, tau2=0.05)
    assert wide[0] < narrow[0] < 1 < narrow[1] < wide[1]
    plot = funnel_plot([0, 30, 9, 10, 11, 12, 8, 10, 9, 11, 10, 10], [0.0] + [10.0] * 11)
    assert plot.flags[0] == "none"
    assert plot.ratio[0] == 1
    assert plot.flags[1:] == ("high_998", *["none"] * 10)
    empty = funnel_plot([], [])
    assert (empty.flags, empty.average) == ((), 1.0)
