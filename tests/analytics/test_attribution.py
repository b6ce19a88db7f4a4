from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from analytics.attribution import attribution, markov_credits, rule_credits


def paths_of(rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "path": [[step for step in row[0].split(" > ") if step] for row in rows],
            "conversions": [row[1] for row in rows],
            "nulls": [row[2] for row in rows],
        },
        schema={"path": pl.List(pl.String), "conversions": pl.Int64, "nulls": pl.Int64},
    )


@pytest.fixture(scope="module")
def path_data(shared_data: Path) -> pl.DataFrame:
    table = pl.read_csv(shared_data / "pathdata" / "PathData.csv.gz", separator=";", infer_schema_length=None)
    return table.select(
        path=pl.col("path").str.split(" > "), conversions=pl.col("total_conversions"), nulls=pl.col("total_null")
    )


@pytest.mark.real_data
def test_path_data_by_rule(path_data: pl.DataFrame) -> None:
    assert (path_data["conversions"].sum(), path_data["nulls"].sum()) == (19785, 68602)
    credits = {row["channel"]: row for row in rule_credits(path_data).iter_rows(named=True)}
    alpha, eta = credits["alpha"], credits["eta"]
    assert (alpha["first"], alpha["last"]) == (6308, 8447)
    assert (eta["first"], eta["last"]) == (3164, 4167)
    assert alpha["linear"] == pytest.approx(7574.718594, abs=1e-6)
    assert eta["linear"] == pytest.approx(3539.951157, abs=1e-6)


@pytest.mark.real_data
def test_path_data_by_removal(path_data: pl.DataFrame) -> None:
    found = markov_credits(path_data)
    assert found.credit.sum() == pytest.approx(19785)
    # The chain reproduces the share of paths that convert.
    assert found.conversion_rate == pytest.approx(19785 / (19785 + 68602), abs=1e-9)
    for k, channel in enumerate(found.channels):
        assert found.removal_effect[k] == pytest.approx(effect_by_removing(path_data, channel), abs=1e-9)


def effect_by_removing(paths: pl.DataFrame, channel: str) -> float:
    """The removal effect by walking the chain step by step with the channel taken out."""
    walks: dict[str, dict[str, float]] = {}
    for path, conversions, nulls in paths.iter_rows():
        for before, after in zip(["(start)", *path], [*path, "(end)"], strict=True):
            steps = walks.setdefault(before, {})
            if after == "(end)":
                steps["(won)"] = steps.get("(won)", 0) + conversions
                steps["(lost)"] = steps.get("(lost)", 0) + nulls
            else:
                steps[after] = steps.get(after, 0) + conversions + nulls
    odds = {a: {b: n / sum(steps.values()) for b, n in steps.items()} for a, steps in walks.items()}

    def won(without: str | None) -> float:
        value = dict.fromkeys(odds, 0.0) | {"(won)": 1.0, "(lost)": 0.0}
        for _ in range(3000):
            for state, steps in odds.items():
                value[state] = 0.0 if state == without else sum(p * value[b] for b, p in steps.items())
        return value["(start)"]

    return 1 - won(channel) / won(None)


def test_three_paths_by_hand() -> None:
    """C1 > C2 > C3 buys, C1 leaves, C2 > C3 leaves: one in three; without C1 half is lost, without C2 or C3 all."""
    found = markov_credits(paths_of([("C1 > C2 > C3", 1, 0), ("C1", 0, 1), ("C2 > C3", 0, 1)]))
    assert found.conversion_rate == pytest.approx(1 / 3)
    assert found.removal_effect == pytest.approx([0.5, 1.0, 1.0])
    assert found.credit == pytest.approx([0.2, 0.4, 0.4])


def test_loops_are_no_obstacle() -> None:
    found = markov_credits(paths_of([("A > A > B > A", 2, 1), ("B > B", 0, 3)]))
    assert found.conversion_rate == pytest.approx(1 / 3)
    assert found.credit.sum() == pytest.approx(2.0)


@pytest.mark.parametrize("rows", [[], [("", 3, 1)], [("A > B", 0, 5)]])
def test_without_conversions_nothing_is_credited(rows: list[tuple[str, int, int]]) -> None:
    for row in attribution(paths_of(rows)):
        assert (row["first"], row["markov"], row["removal_effect"]) == (0, 0, 0)


def test_one_path() -> None:
    assert attribution(paths_of([("A", 1, 0)])) == [
        {"channel": "A", "first": 1.0, "last": 1.0, "linear": 1.0, "markov": 1.0, "removal_effect": 1.0}
    ]
