"""Published answers for clerks: medpar's case mix and funnel plot, Efron and Morris's batters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.case_mix import fit_poisson
from analytics.funnel_plot import FunnelPlot, funnel_plot, poisson_limits
from analytics.shrinkage import james_stein_arcsine

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def medpar(shared_data: Path) -> pl.DataFrame:
    return pl.read_csv(shared_data / "staff" / "medpar.csv", schema_overrides={"provnum": pl.String})


def case_mix(medpar: pl.DataFrame) -> np.ndarray:
    return np.column_stack([np.ones(medpar.height), *(medpar[c] for c in ("hmo", "died", "age80", "type2", "type3"))])


def test_the_poisson_case_mix_of_medpar(medpar: pl.DataFrame) -> None:
    fit = fit_poisson(case_mix(medpar), medpar["los"])
    assert fit.converged
    assert fit.coefficients == pytest.approx([2.26875, -0.07637, -0.24574, -0.02141, 0.24921, 0.74869], abs=5e-6)
    assert fit.deviance == pytest.approx(7977.7, abs=0.05)
    assert fit.aic == pytest.approx(13705, abs=0.5)
    assert fit.dispersion == pytest.approx(6.2405, abs=5e-5)


def providers(medpar: pl.DataFrame) -> pl.DataFrame:
    fitted = fit_poisson(case_mix(medpar), medpar["los"]).fitted
    return medpar.with_columns(expected=fitted).group_by("provnum").agg(pl.col("los", "expected").sum()).sort("provnum")


def outside(plot: FunnelPlot, *, adjusted: bool) -> int:
    return int(np.sum(np.abs(plot.adjusted_z if adjusted else plot.z) > 3.0902323))


def test_medpar_has_25_of_54_providers_outside_and_9_after_the_correction(medpar: pl.DataFrame) -> None:
    units = providers(medpar)
    assert units.height == 54
    low, high = poisson_limits(units["expected"], 0.998)
    ratio = (units["los"] / units["expected"]).to_numpy()
    assert int(np.sum((ratio < low) | (ratio > high))) == 25
    plot = funnel_plot(units["los"], units["expected"], transform="log", trimming="truncated")
    assert outside(plot, adjusted=False) == 25
    assert outside(plot, adjusted=True) == 9
    assert sum(flag.endswith("_998") for flag in plot.flags) == 9


def test_winsorising_with_square_roots_leaves_fewer_than_the_exact_limits(medpar: pl.DataFrame) -> None:
    units = providers(medpar)
    plot = funnel_plot(units["los"], units["expected"])
    assert plot.overdispersion > 5
    assert plot.tau2 > 0
    assert 0 < outside(plot, adjusted=True) < 9
    assert plot.average == pytest.approx(1.0, abs=1e-9)


def test_efron_and_morris_batters(shared_data: Path) -> None:
    batters = pl.read_csv(shared_data / "staff" / "efron-morris-75-data.tsv", separator="\t")
    shrunk = james_stein_arcsine(batters["Hits"], batters["At-Bats"])
    published = [0.290, 0.286, 0.281, 0.277, 0.273, 0.273, 0.268, 0.264, 0.259, 0.259]
    published += [0.254] * 5 + [0.249, 0.244, 0.239]
    assert np.round(shrunk, 3).tolist() == pytest.approx(published, abs=1e-9)
    season = batters["RemainingAverage"].to_numpy()
    raw = batters["Hits"].to_numpy() / 45
    assert np.sum((shrunk - season) ** 2) < np.sum((raw - season) ** 2) / 3
