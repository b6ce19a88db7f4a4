"""Published shares of R², and what must hold of any shares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.missing_answers import Patterns, correlation, maximum_likelihood_moments
from analytics.relative_importance import _sampled_lmg, explained, lmg, relative_weights, subset_r_squared

MTCARS = ("mtcars.csv", "mpg", ["cyl", "disp", "hp", "gear"])
SWISS = ("swiss.csv", "Fertility", ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"])
MOBI = ("mobi_mobi.csv", "CUSL3", [f"PERQ{i}" for i in range(2, 8)])


def correlations(folder: Path, name: str, outcome: str, predictors: list[str]) -> tuple[np.ndarray, np.ndarray]:
    table = pl.read_csv(folder / "drivers" / name, infer_schema_length=None).select(outcome, *predictors)
    moments = maximum_likelihood_moments(Patterns.of(table.to_numpy().astype(float)))
    matrix = correlation(moments.covariance)
    return matrix[1:, 1:], matrix[1:, 0]


@pytest.mark.real_data
def test_johnson_weights_of_mtcars(shared_data: Path) -> None:
    among, target = correlations(shared_data, *MTCARS)
    assert relative_weights(among, target) == pytest.approx([0.2284797, 0.2221469, 0.2321744, 0.0963886], abs=1e-6)
    assert explained(among, target) == pytest.approx(0.7791896, abs=1e-6)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("data", "shares", "r_squared"),
    [
        (SWISS, [0.057091, 0.171173, 0.260135, 0.105570, 0.112766], 0.706735),
        (MOBI, [0.0513, 0.09195, 0.03698, 0.02832, 0.02472, 0.06038], 0.293646),
    ],
)
def test_lmg_shares(shared_data: Path, data: tuple, shares: list[float], r_squared: float) -> None:
    among, target = correlations(shared_data, *data)
    assert lmg(among, target) == pytest.approx(shares, abs=6e-6)
    assert lmg(among, target).sum() == pytest.approx(r_squared, abs=1e-6)


def test_uncorrelated_predictors_get_their_squared_correlation() -> None:
    target = np.array([0.5, 0.3, 0.0])
    for shares in (lmg(np.eye(3), target), relative_weights(np.eye(3), target)):
        assert shares == pytest.approx([0.25, 0.09, 0.0])


def test_a_question_asked_twice_shares_its_influence_and_breaks_nothing() -> None:
    among = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    target = np.array([0.6, 0.6, 0.2])
    assert lmg(among, target) == pytest.approx([0.18, 0.18, 0.04])
    assert relative_weights(among, target) == pytest.approx([0.18, 0.18, 0.04])


def test_subsets_agree_with_least_squares() -> None:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(60, 4)) @ draw.normal(size=(4, 4))
    y = x @ [1.0, 0.5, 0.0, -1.0] + draw.normal(size=60)
    matrix = np.corrcoef(np.column_stack([x, y]).T)
    found = subset_r_squared(matrix[:4, :4], matrix[:4, 4])
    for subset in range(16):
        chosen = [j for j in range(4) if subset >> j & 1]
        design = np.column_stack([np.ones(60), x[:, chosen]])
        residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        assert found[subset] == pytest.approx(1 - residual.var() / y.var(), abs=1e-9)


def test_many_predictors_are_sampled_and_still_add_up() -> None:
    draw = np.random.default_rng(5)
    x = draw.normal(size=(300, 6)) @ draw.normal(size=(6, 6))
    matrix = np.corrcoef(np.column_stack([x, x[:, 0] + x[:, 1] + draw.normal(size=300)]).T)
    among, target = matrix[:6, :6], matrix[:6, 6]
    sampled, exact = _sampled_lmg(among, target), lmg(among, target)
    assert sampled.sum() == pytest.approx(exact.sum(), abs=1e-9)
    assert sampled == pytest.approx(exact, abs=0.02)
