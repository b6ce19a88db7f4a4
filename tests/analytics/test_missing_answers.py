from __future__ import annotations

import numpy as np
import pytest

from analytics.missing_answers import Patterns, correlation, joint_counts, maximum_likelihood_moments


def observed_likelihood(table: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    total = 0.0
    for row in table:
        seen = ~np.isnan(row)
        block, gap = covariance[np.ix_(seen, seen)], row[seen] - mean[seen]
        total -= (np.linalg.slogdet(block)[1] + gap @ np.linalg.solve(block, gap)) / 2
    return total


@pytest.fixture
def gappy() -> np.ndarray:
    draw = np.random.default_rng(1)
    table = draw.normal(size=(200, 4)) @ draw.normal(size=(4, 4))
    table[draw.random(table.shape) < 0.3] = np.nan
    return table[~np.isnan(table).all(axis=1)]


def test_without_gaps_it_is_the_ordinary_covariance() -> None:
    table = np.random.default_rng(0).normal(size=(50, 3))
    found = maximum_likelihood_moments(Patterns.of(table))
    assert found.covariance == pytest.approx(np.cov(table.T, bias=True))
    assert found.mean == pytest.approx(table.mean(axis=0))


def test_no_nearby_point_is_likelier(gappy: np.ndarray) -> None:
    found = maximum_likelihood_moments(Patterns.of(gappy), tolerance=1e-9)
    best = observed_likelihood(gappy, found.mean, found.covariance)
    draw = np.random.default_rng(2)
    for _ in range(20):
        nudge = draw.normal(size=(4, 4)) * 0.02
        assert observed_likelihood(gappy, found.mean, found.covariance + nudge + nudge.T) < best
        assert observed_likelihood(gappy, found.mean + draw.normal(size=4) * 0.02, found.covariance) < best


def test_weights_count_rows(gappy: np.ndarray) -> None:
    weights = np.random.default_rng(4).integers(0, 3, gappy.shape[0])
    weighted = maximum_likelihood_moments(Patterns.of(gappy), weights.astype(float), tolerance=1e-9)
    repeated = maximum_likelihood_moments(Patterns.of(np.repeat(gappy, weights, axis=0)), tolerance=1e-9)
    assert weighted.covariance == pytest.approx(repeated.covariance, abs=1e-6)


def test_answers_missing_because_of_another_answer_do_not_bias_it() -> None:
    """Those unhappy overall are asked about the call centre; complete sheets alone would give the wrong mean."""
    draw = np.random.default_rng(6)
    overall = draw.normal(size=4000)
    call = 0.8 * overall + 0.6 * draw.normal(size=4000)
    asked = np.where(overall < 0, call, np.nan)
    found = maximum_likelihood_moments(Patterns.of(np.column_stack([overall, asked])), tolerance=1e-9)
    assert found.mean[1] == pytest.approx(0.0, abs=0.08)
    assert np.nanmean(asked) < -0.5
    assert correlation(found.covariance)[0, 1] == pytest.approx(0.8, abs=0.04)


def test_a_question_without_differences_correlates_with_nothing() -> None:
    table = np.column_stack([np.arange(10.0), np.full(10, 5.0)])
    table[0, 0] = np.nan
    assert correlation(maximum_likelihood_moments(Patterns.of(table)).covariance)[0, 1] == pytest.approx(0.0, abs=1e-6)


def test_joint_counts() -> None:
    table = np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 4.0]])
    assert joint_counts(table).tolist() == [[2, 1], [1, 2]]
