from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from journey.errors import Conflict, ModelRefused, NotFound, Unavailable
from recommender.artefacts import UnusableModel, read_model, write_model
from recommender.id_table import IdTable, as_table
from recommender.registry import Comparison, Registry
from recommender.served_model import ServedModel
from recommender.trained import SessionModel
from tests.recommender.worlds import model, scored

NOW = datetime(2026, 6, 2, 3, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_an_id_table_finds_every_id_and_nothing_else() -> None:
    ids = ["007", "7", "a", "ab", "b", "é", "ゑ🍙", "お客様"]
    table = IdTable.of(ids)
    assert list(table) == sorted(ids)
    assert [table[table.find(value)] for value in ids] == ids
    assert [table.find(value) for value in ("", "00", "0070", "aa", "🍙", "\U0010ffff")] == [-1] * 6
    assert table.find_all(["b", "nobody", "a"]).tolist() == [table.find("b"), -1, table.find("a")]
    assert table[-1] == sorted(ids)[-1]
    assert len(IdTable.of([])) == 0
    assert IdTable.of([]).find("a") == -1
    with pytest.raises(IndexError):
        table[8]


def test_ids_twice_or_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        IdTable.of(["a", "a"])
    with pytest.raises(ValueError, match="ascending"):
        as_table(["b", "a"])


def test_a_model_comes_back_as_it_was_written(tmp_path: Path) -> None:
    sessions = SessionModel({"weight": np.array([0.5, 0.25], np.float32)}, {"decay": 0.8})
    before = model(sessions=sessions, arrays={"day": np.arange(3)})
    after = read_model(tmp_path / write_model(tmp_path, before, now=NOW))
    assert list(after.customer_ids) == list(before.customer_ids)
    assert after.cut_off == before.cut_off
    assert (after.parameters, after.rows, after.seed) == ({"rounds": 10}, 100, 7)
    for name in ("product", "probability", "is_new", "source", "evidence", "evidence_kind", "indptr"):
        np.testing.assert_array_equal(getattr(after.ahead, name), getattr(before.ahead, name))
        assert isinstance(getattr(after.ahead, name).base, np.memmap)
    np.testing.assert_array_equal(after.copurchase.weight, before.copurchase.weight)
    assert after.sessions is not None
    assert after.sessions.settings == {"decay": 0.8}
    np.testing.assert_array_equal(after.sessions.arrays["weight"], [0.5, 0.25])
    np.testing.assert_array_equal(after.arrays["day"], [0, 1, 2])


def test_nothing_is_pickled_and_the_manifest_names_what_was_used(tmp_path: Path) -> None:
    version = write_model(tmp_path, model(), now=NOW)
    manifest = json.loads((tmp_path / version / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["libraries"]["numpy"] == np.__version__
    assert (manifest["seed"], manifest["rows"], manifest["products"]) == (7, 100, 10)
    for path in (tmp_path / version).glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype != np.object_
        assert set(manifest["files"][path.name.removesuffix(".npy")]) == {"sha256", "bytes"}


def test_the_same_content_has_the_same_digest(tmp_path: Path) -> None:
    first, second = (write_model(tmp_path, model(), now=at(m)) for m in (0, 1))
    assert first != second
    assert first.split("-")[1] == second.split("-")[1]


def test_arrays_that_do_not_fit_are_refused_and_leave_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ahead has 3 rows, not 2"):
        write_model(tmp_path, model(customer_ids=["A", "B"]), now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["missing", "short", "changed", "manifest"])
def test_a_damaged_file_is_named(tmp_path: Path, harm: str) -> None:
    version = write_model(tmp_path, model(), now=NOW)
    path = tmp_path / version / ("manifest.json" if harm == "manifest" else "ahead.probability.npy")
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "short":
        path.write_bytes(content[:-3])
    elif harm == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.write_bytes(b"{")
    with pytest.raises(UnusableModel, match=path.name.replace(".", r"\.")):
        read_model(tmp_path / version)


def test_the_first_version_is_promoted_and_a_better_one_may_follow(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    with pytest.raises(Unavailable, match="osusume train"):
        registry.load()
    first = registry.add(scored(0.15), now=at(0))
    second = registry.add(scored(0.16), now=at(1))
    assert registry.current_version() == first
    registry.promote(second, now=at(2))
    assert [(m["version"], m["current"]) for m in registry.versions()] == [(first, False), (second, True)]
    assert registry.show(second)["current"]
    assert registry.load().rows == 160_000


def test_a_worse_model_is_refused_unless_forced_and_the_force_is_remembered(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    good = registry.add(scored(0.15), now=at(0))
    worse = registry.add(scored(0.14), now=at(1))
    with pytest.raises(ModelRefused, match=r"0\.1400 against 0\.1500") as refusal:
        registry.promote(worse, now=at(2))
    assert refusal.value.facts["candidate"] == 0.14
    assert registry.current_version() == good
    registry.promote(worse, now=at(3), force=True, by="coe")
    last = registry.history()[-1]
    assert (last["version"], last["before"], last["forced"], last["by"]) == (worse, good, True, "coe")


def test_figures_of_different_evaluations_are_not_compared_but_a_fresh_comparison_counts(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    registry.add(scored(0.15), now=at(0))
    later = registry.add(scored(0.14, "last baskets of June"), now=at(1))
    with pytest.raises(ModelRefused):
        registry.promote(later, now=at(2), comparison=Comparison("June", "ndcg@10", 0.14, 0.141))
    registry.promote(later, now=at(2))
    assert registry.current_version() == later


def test_rolling_back_twice_goes_back_twice(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    a, b, c = (registry.add(scored(value), now=at(i)) for i, value in enumerate((0.1, 0.2, 0.3)))
    registry.promote(b, now=at(5))
    registry.promote(c, now=at(6))
    assert registry.rollback(now=at(7)) == b
    assert registry.rollback(now=at(8)) == a
    with pytest.raises(Conflict, match="no earlier version"):
        registry.rollback(now=at(9))
    registry.promote(c, now=at(10))
    assert registry.rollback(now=at(11)) == a


@pytest.mark.parametrize("name", ["nothing", "../models", ".partial"])
def test_an_unknown_version_is_not_found(tmp_path: Path, name: str) -> None:
    registry = Registry(tmp_path)
    registry.add(scored(0.1), now=at(0))
    with pytest.raises(NotFound):
        registry.promote(name, now=at(1))


def test_a_worker_notices_a_promotion_and_a_rollback(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    served = ServedModel(registry)
    with pytest.raises(Unavailable):
        served.get()
    first = registry.add(scored(0.1), now=at(0))
    assert served.get()[0] == first
    loaded = served.get()[1]
    assert served.get()[1] is loaded
    second = registry.add(scored(0.2), now=at(1))
    promote = (
        "import sys; from datetime import *; from pathlib import Path; from recommender.registry import Registry;"
        "Registry(Path(sys.argv[1])).promote(sys.argv[2], now=datetime(2026, 6, 3, tzinfo=UTC))"
    )
    subprocess.run([sys.executable, "-c", promote, str(tmp_path), second], check=True)
    assert served.get()[0] == second
    registry.rollback(now=at(3))
    assert served.get()[0] == first


def test_a_worker_keeps_the_good_version_where_the_promoted_one_is_damaged(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first = registry.add(scored(0.1), now=at(0))
    served = ServedModel(registry)
    served.get()
    second = registry.add(scored(0.2), now=at(1))
    registry.promote(second, now=at(2))
    (registry.models / second / "cold.product.npy").write_bytes(b"")
    assert served.get()[0] == first
    assert "cold.product.npy" in served.trouble
    assert ServedModel(registry).get()[0] == first, "a fresh worker falls back too"
