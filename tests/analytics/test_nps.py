from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analytics.nps import net_promoter_score


@pytest.mark.real_data
def test_mobi(shared_data: Path) -> None:
    scores = pl.read_csv(shared_data / "drivers" / "mobi_mobi.csv", infer_schema_length=None)["CUSL3"]
    found = net_promoter_score(scores.to_numpy())
    assert found is not None
    assert (found.promoters, found.detractors, found.n) == (95, 60, 250)
    assert found.value == pytest.approx(14.0)
    # Multinomial by hand with three notional answers: p = 95.75/253, d = 60.75/253.
    error = np.sqrt((156.5 / 253 - (35 / 253) ** 2) / 253)
    assert (found.low, found.high) == pytest.approx(
        (100 * (35 / 253 - 1.959964 * error), 100 * (35 / 253 + 1.959964 * error))
    )


def test_codes_are_not_scores() -> None:
    found = net_promoter_score([10, 10, 0, -99, np.nan, 99])
    assert found is not None
    assert (found.n, found.value) == (3, pytest.approx(100 / 3))


def test_nobody_answered() -> None:
    assert net_promoter_score([]) is None
    assert net_promoter_score([-99]) is None


def test_one_answer_says_next_to_nothing() -> None:
    found = net_promoter_score([10])
    assert found is not None
    assert (found.value, found.high) == (100.0, 100.0)
    assert found.low < 0


def test_the_interval_covers() -> None:
    draw = np.random.default_rng(0)
    truth, hits = 100 * (0.35 - 0.25), 0
    for _ in range(1000):
        found = net_promoter_score(draw.choice([10, 8, 3], 40, p=[0.35, 0.4, 0.25]))
        assert found is not None
        hits += found.low <= truth <= found.high
    assert 930 <= hits <= 970


def test_ten_answers_of_one_person_are_not_ten_people() -> None:
    draw = np.random.default_rng(1)
    opinions = draw.choice([10, 3], 40)
    people = np.repeat(np.arange(40), 10)
    together = net_promoter_score(np.repeat(opinions, 10), people)
    naive = net_promoter_score(np.repeat(opinions, 10))
    assert together is not None
    assert naive is not None
    assert together.value == naive.value
    assert together.error / naive.error == pytest.approx(np.sqrt(10), rel=0.05)


def test_weights_move_the_value() -> None:
    found = net_promoter_score([10, 0], weights=[3, 1])
    assert found is not None
    assert found.value == pytest.approx(50.0)
