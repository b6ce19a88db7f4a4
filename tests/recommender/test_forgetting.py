"""Erased persons are unreadable in model files, and everybody else is served as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recommender.artefacts import read_model
from recommender.forgetting import forget_customers, with_tombstones
from recommender.gathering import ahead_part
from recommender.id_table import IdTable
from recommender.registry import Registry
from recommender.served_model import ServedModel
from recommender.trained import ItemNeighbours, RankedLists, TrainedModel

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IDS = ["A-0001", "A-0002", "B-0001", "B-00012", "C-1"]


def a_model(seed: int = 0) -> TrainedModel:
    """Customer n has n candidates, so that a list tells whose it is."""
    counts = np.arange(len(IDS))
    indptr = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
    n = int(indptr[-1])
    ahead = replace(
        RankedLists.empty(), indptr=indptr, product=np.zeros(n, np.int32), score=np.ones(n, np.float32),
        probability=np.full(n, 0.1, np.float32), is_new=np.zeros(n, np.bool_), source=np.zeros(n, np.uint8),
        evidence=np.full(n, -1, np.int32), evidence_kind=np.zeros(n, np.uint8), evidence_value=np.zeros(n, np.float32),
    )  # fmt: skip
    return TrainedModel(
        cut_off=NOW, product_ids=["P"], customer_ids=IDS, store_ids=[], ahead=ahead, cold=RankedLists.empty(1),
        copurchase=ItemNeighbours.empty(1), coview=ItemNeighbours.empty(1), parameters={}, metrics={},
        stage_seconds={}, rows=1, seed=seed, arrays={"seed": np.array([seed])},
    )  # fmt: skip


@pytest.mark.parametrize("gone", [["A-0001"], ["C-1"], ["B-0001", "B-00012"], IDS])
def test_tombstones_keep_every_other_id_where_it_was(gone: list[str]) -> None:
    table = IdTable.of(IDS)
    kept = with_tombstones(table, {table.find(customer) for customer in gone})
    assert len(kept) == len(IDS)
    assert [kept.find(customer) for customer in gone] == [-1] * len(gone)
    assert {c: kept.find(c) for c in IDS if c not in gone} == {c: IDS.index(c) for c in IDS if c not in gone}
    assert list(kept) == sorted(kept, key=str.encode)


def test_no_version_can_tell_the_erased_apart_and_workers_notice(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for seed in (1, 2):
        registry.add(a_model(seed), now=NOW + timedelta(days=seed))
    served = ServedModel(registry)
    _, before = served.get()
    assert len(ahead_part(before, "B-0001")) == 2

    assert forget_customers(registry, ["B-0001", "never known"]) == 2
    for file in registry.models.rglob("*"):
        if file.is_file():
            assert b"B-0001" not in file.read_bytes().replace(b"B-00012", b""), file
    version, after = served.get()
    assert (version, len(ahead_part(after, "B-0001"))) == (registry.current_version(), 0)
    assert [len(ahead_part(after, customer)) for customer in ("A-0002", "B-00012", "C-1")] == [1, 3, 4]
    for manifest in registry.versions():
        read_model(registry.models / manifest["version"], verify=True)  # the checksums are those of the new files
    assert forget_customers(registry, ["B-0001"]) == 0
