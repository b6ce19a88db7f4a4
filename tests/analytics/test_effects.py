from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.effects import difference_in_differences, placebo


def observed(
    seed: int, *, effect: float, stores: int = 5, n: int = 200, shock: float = 0.0, drift: float = 0.0
) -> pl.DataFrame:
    """Answers of stores on days 0–99, acted upon in store 0 from day 60; all stores move by 3 at the start."""
    draw = np.random.default_rng(seed)
    frames = []
    for store in range(stores):
        at = draw.integers(0, 100, n)
        after = at >= 60
        value = 60 + 4 * store + draw.normal(0, 15, n) + 3 * after + draw.normal(0, shock) * after
        if store == 0:
            value = value + effect * after + drift * at
        frames.append(
            pl.DataFrame(
                {
                    "unit": [f"S{store}"] * n,
                    "treated": [store == 0] * n,
                    "after": after,
                    "at": at,
                    "value": value,
                    "person": draw.integers(0, n, n) + store * n,
                }
            )
        )
    return pl.concat(frames)


@pytest.mark.parametrize("shock", [0.0, 4.0])
def test_a_planted_effect_is_covered_and_a_non_effect_is_not_claimed(shock: float) -> None:
    covered = claimed = 0
    for seed in range(150):
        found = difference_in_differences(observed(seed, effect=8.0, shock=shock))
        assert found is not None
        covered += found.low <= 8.0 <= found.high
        nothing = difference_in_differences(observed(seed + 1000, effect=0.0, shock=shock))
        assert nothing is not None
        claimed += not nothing.low <= 0 <= nothing.high
    assert covered >= 135  # of 150; 142 is the mean at 95 %
    assert claimed <= 15


def test_power() -> None:
    found = [difference_in_differences(observed(seed, effect=10.0)) for seed in range(50)]
    assert sum(f is not None and f.low > 0 for f in found) >= 35


def test_what_all_stores_share_is_no_effect() -> None:
    found = difference_in_differences(observed(1, effect=0.0, n=4000))
    assert found is not None
    assert abs(found.value) < 2
    assert found.after - found.before == pytest.approx(3, abs=1)
    assert (found.treated, found.compared, found.kind) == (1, 4, "difference_in_differences")


def test_placebo_sees_stores_that_drift_apart() -> None:
    drifting, steady = placebo(observed(2, effect=0.0, drift=0.4, n=1000)), placebo(observed(3, effect=9.0, n=1000))
    assert drifting is not None
    assert steady is not None
    assert drifting.low > 0
    assert steady.low < 0 < steady.high


def test_by_hand_with_two_stores() -> None:
    rows = [("A", True, after, v) for after, values in ((False, [0.0, 2.0]), (True, [9.0, 11.0])) for v in values * 10]
    rows += [("B", False, after, v) for after, values in ((False, [4.0, 6.0]), (True, [7.0, 9.0])) for v in values * 10]
    frame = pl.DataFrame(rows, schema=["unit", "treated", "after", "value"], orient="row")
    found = difference_in_differences(frame.with_columns(person=pl.int_range(pl.len())))
    assert found is not None
    assert (found.value, found.before, found.after) == (pytest.approx(6.0), 1.0, 10.0)
    error = np.sqrt(4 * 20 / 19 / 20)  # four means of twenty values with variance 20/19
    assert found.high - found.value == pytest.approx(1.959964 * error, rel=1e-3)


def test_without_comparison_it_is_before_and_after() -> None:
    found = difference_in_differences(observed(4, effect=5.0, stores=1, n=2000))
    assert found is not None
    assert found.kind == "before_after"
    assert found.low < 8.0 < found.high  # the common movement of 3 is in it


def test_no_complaint_before_is_not_certainty() -> None:
    """None of 15 before and 1 of 15 after is no effect, although the first side shows no spread."""
    rows = [("A", True, i >= 15, float(i == 20)) for i in range(30)]
    rows += [(unit, False, i >= 30, float(i % 20 == 0)) for unit in "BC" for i in range(60)]
    frame = pl.DataFrame(rows, schema=["unit", "treated", "after", "value"], orient="row")
    found = difference_in_differences(frame.with_columns(person=pl.int_range(pl.len())))
    assert found is not None
    assert found.low < 0 < found.high


def test_too_little() -> None:
    frame = observed(5, effect=1.0)
    assert difference_in_differences(frame.head(0)) is None
    assert difference_in_differences(frame.head(5)) is None
    assert placebo(frame.head(0)) is None
