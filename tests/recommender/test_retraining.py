"""The CoE's job: one training at a time, a trail of what was refused, versions that say where they come from."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from journey.errors import Conflict, ModelRefused
from recommender.batch import rank
from recommender.dataset import Dataset
from recommender.plan import TrainingPlan
from recommender.provenance import code_version, fingerprint
from recommender.record import Frames
from recommender.registry import Registry
from recommender.retraining import retrain
from recommender.training_lock import one_training, running
from tests.recommender.purchases import two_tastes
from tests.recommender.worlds import scored

NOW = datetime(2026, 6, 2, 3, tzinfo=UTC)
HOLDS = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from recommender.training_lock import one_training
with one_training(Path(sys.argv[1]), "retrain", now=datetime(2026, 6, 2, tzinfo=UTC)) as note:
    note.stage("models")
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_trainings_at_once_are_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    other = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        note = running(tmp_path)
        assert note is not None
        assert (note["what"], note["stage"], note["pid"]) == ("retrain", "models", other.pid)
        with pytest.raises(Conflict, match=str(other.pid)), one_training(tmp_path, "train", now=NOW):
            pass
    finally:
        other.kill()
        other.wait()
    assert running(tmp_path) is None
    with one_training(tmp_path, "train", now=NOW):
        pass


def test_a_refusal_stays_in_the_history_and_rollback_does_not_stumble_over_it(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first = registry.add(scored(0.12), now=NOW)
    good = registry.add(scored(0.15), now=NOW + timedelta(minutes=1))
    registry.promote(good, now=NOW + timedelta(minutes=2))
    worse = registry.add(scored(0.10), now=NOW + timedelta(minutes=3))
    with pytest.raises(ModelRefused):
        registry.promote(worse, now=NOW + timedelta(minutes=4), by="retrain")
    last = registry.history()[-1]
    assert (last["action"], last["version"], last["before"]) == ("refuse", worse, good)
    assert last["comparison"]["candidate"] == 0.10
    assert registry.current_version() == good
    registry.promote(worse, now=NOW + timedelta(minutes=5), force=True, why="店頭の意見")
    assert (registry.history()[-1]["forced"], registry.history()[-1]["why"]) == (True, "店頭の意見")
    assert registry.rollback(now=NOW + timedelta(minutes=6)) == good
    assert registry.earlier_versions() == [first]


def test_pruning_spares_what_serves_and_what_it_could_be_rolled_back_to(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    names = [registry.add(scored(0.1 + n / 100), now=NOW + timedelta(minutes=n)) for n in range(6)]
    registry.promote(names[1], now=NOW + timedelta(hours=1))
    assert registry.prune(2) == [names[2], names[3]]
    assert [v["version"] for v in registry.versions()] == [names[0], names[1], names[4], names[5]]
    assert registry.rollback(now=NOW + timedelta(hours=2)) == names[0]


def test_the_fingerprint_tells_every_change_of_the_data_and_nothing_else() -> None:
    lines = two_tastes(20)
    before = fingerprint(Dataset.from_frames(lines))
    assert fingerprint(Dataset.from_frames(lines.sample(fraction=1.0, shuffle=True, seed=3))) == before
    assert before["carded_lines"]["rows"] == lines.unique(["receipt_id", "product_id"]).height
    fewer = fingerprint(Dataset.from_frames(lines.head(lines.height - 1)))
    assert fewer["carded_lines"] != before["carded_lines"]
    other = lines.with_columns(quantity=pl.when(pl.int_range(pl.len()) == 5).then(9.0).otherwise("quantity"))
    changed = fingerprint(Dataset.from_frames(other))
    assert changed["carded_lines"]["rows"] == before["carded_lines"]["rows"]
    assert changed["carded_lines"]["sha256"] != before["carded_lines"]["sha256"]
    assert changed["products"] == before["products"]


def test_a_run_is_reproducible_from_its_manifest(tmp_path: Path) -> None:
    lines = two_tastes(200, baskets=4)
    frames = Frames(lines, no_events(), None, None, None)
    cut_off = datetime(2026, 2, 1, tzinfo=UTC)
    registry = Registry(tmp_path)
    first = retrain(frames, registry, cut_off=cut_off, timezone="Asia/Tokyo", now=NOW, seed=5, budget_minutes=0.1)
    manifest = registry.show(first.version)
    assert manifest["code"] == code_version()
    assert {"python", "numpy", "lightgbm"} <= set(manifest["libraries"])
    again = retrain(
        replace(frames, lines=lines.sample(fraction=1.0, shuffle=True, seed=1)), Registry(tmp_path / "again"),
        cut_off=datetime.fromisoformat(manifest["cut_off"]), timezone="Asia/Tokyo", now=NOW + timedelta(days=1),
        seed=manifest["seed"], plan=TrainingPlan.of(manifest["parameters"]["plan"]),
    )  # fmt: skip
    repeated = Registry(tmp_path / "again").show(again.version)
    assert repeated["data"] == manifest["data"]
    assert repeated["parameters"] == manifest["parameters"]
    assert repeated["content"] == manifest["content"]
    customers = list(first.model.customer_ids)
    assert rank(again.model, customers).equals(rank(first.model, customers))


def no_events() -> pl.DataFrame:
    moment = pl.Datetime("us", "UTC")
    names = ("visitor_id", "session_id", "customer_id", "kind", "product_id")
    return pl.DataFrame(schema={"occurred_at": moment} | dict.fromkeys(names, pl.String))
